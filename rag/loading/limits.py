"""What one file may cost, and how the child process holds itself to it."""

from __future__ import annotations

import math
import resource
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that parsing one file may take.

    `memory_bytes` is address space and holds on Linux only: macOS does not enforce it.
    `output_chars` counts code points of text.
    """

    cpu_seconds: int = 20
    memory_bytes: int = 1 << 30
    wall_seconds: float = 60.0
    output_chars: int = 50_000_000


def impose(limits: Limits) -> None:
    """Renews this process's limits: processor time counts from now on."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = math.ceil(usage.ru_utime + usage.ru_stime)
    _lower(resource.RLIMIT_CPU, used + limits.cpu_seconds)
    if sys.platform == "linux":
        _lower(resource.RLIMIT_AS, limits.memory_bytes)


def is_swollen(limits: Limits) -> bool:
    """Whether what earlier files left behind takes memory that the next file has a right to."""
    if sys.platform != "linux":
        return False
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize() > limits.memory_bytes // 2


def _lower(kind: int, wanted: int) -> None:
    _, hard = resource.getrlimit(kind)
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(kind, (soft, hard))
