"""C: whatever is asked of the API, it answers as it says it will."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from fastapi import FastAPI

from api.app import create_app
from rag import assembly
from tests.api.conftest import FILES
from tests.soak import api_faults
from tests.soak.asgi import Request, Rule, send
from tests.soak.forking import Died, in_child
from tests.soak.hostile import Attacker
from tests.soak.rows import Anywhere, Bench, Case, Control, Sizes
from tests.soak.subject import prepare, settings_of

_BATCH = 500  # requests that one child's application gets
_MOST_TOLD = 3
_LONGEST = 600.0  # seconds for a batch


def nothing() -> None:
    """No fault is planted."""


class HostileRequests(Anywhere):
    """C2. A case is a number; where one is given, its whole batch is run."""

    name = "C2"
    title = "a hostile request"
    sizes = Sizes(pr=5_000, nightly=100_000)
    first = "0"

    def __init__(self, planted: Callable[[], None] = nothing) -> None:
        self._planted = planted

    def case(self, bench: Bench, at: str) -> Case:
        first = int(at)
        try:
            wrong = in_child(partial(self._batch, bench, first), _LONGEST)
        except Died as died:
            wrong = [str(died)]
        return Case("; ".join(wrong) or None, str(first + _BATCH), _BATCH)

    def controls(self, bench: Bench) -> Sequence[Control]:
        return [
            Control(name, HostileRequests(plant)._finds(bench))
            for name, plant in api_faults.PLANTED.items()
        ]

    def _finds(self, bench: Bench) -> bool:
        """Whether the small size finds anything. Raises `Died`."""
        batches = range(0, self.sizes.pr, _BATCH)
        return any(in_child(partial(self._batch, bench, first), _LONGEST) for first in batches)

    def _batch(self, bench: Bench, first: int) -> list[str]:
        prepare()
        self._planted()
        with tempfile.TemporaryDirectory(dir=bench.work) as home:
            return asyncio.run(_violations(bench, first, Path(home)))


async def _violations(bench: Bench, first: int, home: Path) -> list[str]:
    """What a batch breaks, up to some."""
    app, known = served(home)
    rule = rule_of(app, home)
    attacker = Attacker(app.openapi(), known)
    found: list[str] = []
    async with app.router.lifespan_context(app):
        await _ready(app)
        for number in range(first, first + _BATCH):
            request = attacker.request(bench.chance("request", number))
            if violation := await _violation(app, rule, request):
                found.append(f"request {number}, {request}: {violation}")
            if len(found) == _MOST_TOLD:
                break
    return found


def served(home: Path) -> tuple[FastAPI, dict[str, str]]:
    """The application over a new index of a few files, and what its paths can name."""
    settings = settings_of(home)
    service = assembly.build(settings)
    report = service.ingest_uploads([(name, text.encode()) for name, text in FILES.items()])
    kept = next(outcome.document_id for outcome in report.outcomes if outcome.document_id)
    return create_app(service, settings), {"document_id": kept, "name": "default"}


def rule_of(app: FastAPI, home: Path) -> Rule:
    """What its replies must keep to, which tell nothing of where the server's files are."""
    return Rule(app, [str(home), str(Path(__file__).parents[2]), "site-packages"])


async def _ready(app: FastAPI) -> None:
    while (await send(app, Request("GET", b"/readyz", (), b""))).status != 200:
        await asyncio.sleep(0.01)


async def _violation(app: FastAPI, rule: Rule, request: Request) -> str | None:
    try:
        return rule.violation(request, await send(app, request))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
