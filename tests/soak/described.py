"""C1: Schemathesis makes requests from the API's own description, and holds replies against it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import schemathesis
from fastapi import FastAPI
from schemathesis.engine import events, from_schema
from starlette.datastructures import Headers
from starlette.testclient import TestClient

from api import errors
from rag.errors import InvalidInput
from tests.soak.api import nothing, rule_of, served
from tests.soak.asgi import Reply, Request, Rule
from tests.soak.forking import Died, in_child
from tests.soak.rows import Anywhere, Bench, Case, Control, Sizes
from tests.soak.subject import prepare

_EXAMPLES = 130  # of each operation, at most
_LONGEST = 1_800.0  # seconds for a run
_MOST_TOLD = 3
_CHECKS = {
    # What is valid: not all of it can be told by a schema, and tests/api has it by hand.
    "positive_data_acceptance": {"enabled": False},
    # Schemathesis doesn't count a 413 among refusals, but what breaks a `maxLength` may be too long
    # to be read at all: a citation's quote and source, say, in a body of 2.5 MB.
    "negative_data_rejection": {"expected-statuses": ["4XX"]},
}


class DescribedRequests(Anywhere):
    """C1. A case is the number of a run: of examples, coverage, fuzzing and sequences."""

    name = "C1"
    title = "a request that Schemathesis makes"
    sizes = Sizes(pr=2_000, nightly=20_000)
    first = "0"

    def __init__(self, planted: Callable[[], None] = nothing) -> None:
        self._planted = planted

    def case(self, bench: Bench, at: str) -> Case:
        try:
            wrong, counted = in_child(partial(self._run, bench, int(at)), _LONGEST)
        except Died as died:
            wrong, counted = [str(died)], 1
        return Case("; ".join(wrong) or None, str(int(at) + 1), counted)

    def controls(self, bench: Bench) -> Sequence[Control]:
        wrong, _ = in_child(partial(DescribedRequests(_teapot)._run, bench, 0), _LONGEST)
        return [Control("a status that is not documented", bool(wrong))]

    def _run(self, bench: Bench, number: int) -> tuple[list[str], int]:
        """What is wrong, up to some, and how many requests were made."""
        prepare()
        self._planted()
        seed = bench.chance("described", number).randrange(2**32)
        wrong: list[str] = []
        counted = 0
        with tempfile.TemporaryDirectory(dir=bench.work) as home:
            app, _ = served(Path(home))
            for scenario in _scenarios(app, rule_of(app, Path(home)), seed):
                counted += len(scenario.recorder.interactions)
                wrong += _failures(scenario)
                if len(wrong) >= _MOST_TOLD:
                    break
        return wrong, counted


def _teapot() -> None:
    """The planted fault: what is invalid has another status than the description says."""
    statuses: dict[Any, HTTPStatus] = {**errors.STATUSES, InvalidInput: HTTPStatus.IM_A_TEAPOT}
    errors.STATUSES = statuses


def _scenarios(app: FastAPI, rule: Rule, seed: int) -> Iterator[Any]:
    """The parts of a run as they end. Raises AssertionError where it can't go on."""

    @schemathesis.check
    def keeps_to_the_rule(_: Any, response: schemathesis.Response, __: Any) -> None:
        violation = rule.violation(*_exchanged(response))
        assert violation is None, violation

    config = schemathesis.Config.from_dict(
        {
            "seed": seed,
            "generation": {"max-examples": _EXAMPLES, "database": "none"},
            "checks": _CHECKS,
        }
    )
    with TestClient(app) as client:
        while client.get("/readyz").status_code != HTTPStatus.OK:
            pass
        schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
        for event in from_schema(schema).execute():
            assert not isinstance(event, events.FatalError | events.NonFatalError), event
            if isinstance(event, events.ScenarioFinished | events.FuzzScenarioFinished):
                yield event


def _exchanged(response: schemathesis.Response) -> tuple[Request, Reply]:
    target = (response.request.path_url or "/").encode()
    headers = [
        (name.lower().encode(), value.encode("latin-1"))
        for name, values in response.headers.items()
        for value in values
    ]
    request = Request(response.request.method or "GET", target, (), b"")
    return request, Reply(response.status_code, Headers(raw=headers), response.content)


def _failures(scenario: Any) -> list[str]:
    return [
        f"{scenario.label}: {check.name}: {check.failure_info.failure} "
        f"{check.failure_info.code_sample[:500]}"
        for checks in scenario.recorder.checks.values()
        for check in checks
        if check.failure_info
    ]
