"""`rag serve`: checks what can go wrong before the server starts, then hands over to uvicorn.

The API is named by uvicorn's import string, so that this package does not import it.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import resource
import signal
import socket
import tempfile
import threading
from pathlib import Path
from types import FrameType

import uvicorn

from rag.access import Tokens
from rag.errors import InvalidInput, RagError
from rag.logs import configure, tell
from rag.settings import Settings

_APP = "api.server:create"
_CONNECTION = "api.connection:Connection"
_MOST_OPEN = 65_536  # files and connections, where the system allows so many
_GRACE_SECONDS = 6  # for requests that are under way
_LAST_SECONDS = 9.0  # then the process ends, whatever is under way
_log = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """Ends in time whatever is under way, which a store of transactions survives; asked twice, at
    once.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Runs in the main thread at SIGTERM and SIGINT."""
        if self.should_exit:
            os._exit(1)
        tell(_log, "stopping", "stopping: what is under way is finished first")
        last = threading.Timer(_LAST_SECONDS, os._exit, [0])
        last.daemon = True
        last.start()
        super().handle_exit(sig, frame)


def serve(settings: Settings, host: str, port: int) -> int:
    """Serves until it is stopped; returns the exit status.

    Raises `InvalidInput` where others could reach the server without a token, and `RagError`
    where the address is taken.
    """
    if settings.read_only and settings.paths:
        raise InvalidInput(
            "--read-only changes nothing, so it ingests nothing: leave the paths out, or ingest "
            "them first with `rag ingest`"
        )
    if not _is_loopback(host) and not settings.token and not Tokens(settings.home).all():
        raise InvalidInput(
            f"{host} can be reached from other machines: make a token with `rag token add`, "
            "or set RAG_TOKEN to a secret, or leave --host out"
        )
    listening = _listen(host, port)
    os.environ.update(settings.to_environment())
    config = uvicorn.Config(
        _APP,
        factory=True,
        http=_CONNECTION,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    address, used_port = listening.getsockname()[:2]
    shown = f"[{address}]" if ":" in address else address
    configure(settings.log)
    _find_room_for_uploads(settings.home)
    url = f"http://{shown}:{used_port}"
    tell(_log, "serving", f"serving {url} (Ctrl-C stops it)", url=url)
    # Once it has shut down, uvicorn raises again what stopped it: that is no failure here.
    for stopping in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stopping, lambda *_: None)
    _allow_many_connections()
    server = _Server(config)
    server.run(sockets=[listening])
    tell(_log, "stopped", "stopped")
    return 0 if server.started else 1


def _find_room_for_uploads(home: Path) -> None:
    """A large one lies among temporary files while it is read: some systems have no such place."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        tempfile.tempdir = str(home)


def _allow_many_connections() -> None:
    """Idle ones must not use up what is open to this process by default, often 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_OPEN if hard == resource.RLIM_INFINITY else min(hard, _MOST_OPEN)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        raise RagError(f"{host}:{port} can't be used ({error}): choose another --port") from error
