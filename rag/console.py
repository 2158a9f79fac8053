"""What all commands share: their settings, their service, and how they show a result."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from typing import Any

from rag.assembly import build
from rag.service import Service
from rag.settings import Settings


def settings_of(options: argparse.Namespace) -> Settings:
    """What the environment says, with the index that the command names."""
    settings = Settings.from_environment()
    home = options.home
    return replace(settings, home=home.expanduser().absolute()) if home else settings


def opened(options: argparse.Namespace) -> closing[Service]:
    """A service over the index, to be closed in the end."""
    return closing(build(settings_of(options), busy_seconds(options)))


def busy_seconds(options: argparse.Namespace) -> float:
    """How long a command waits for another writer."""
    waits = getattr(options, "wait", False) or getattr(options, "watch", False)
    return 1e6 if waits else 1.0


def show(options: argparse.Namespace, payload: Any, lines: Iterable[str]) -> None:
    """A result on stdout, as JSON where that is wanted, else as lines."""
    if options.json:
        ascii_only = sys.stdout.encoding.lower() != "utf-8"
        print(json.dumps(payload, ensure_ascii=ascii_only, indent=2))
    else:
        for line in lines:
            print(line)
