"""Errors as RFC 9457 problem details.

A client's input is never echoed, for it may not be encodable; what a pattern has allowed may be.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from rag import errors

STATUSES: Mapping[type[errors.RagError], HTTPStatus] = {
    errors.InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.ModelMismatch: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.UnsupportedFormat: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.FileRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.StoreBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ReadOnly: HTTPStatus.FORBIDDEN,
    errors.StoreFull: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.StoreUnreadable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ModelUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.RagError: HTTPStatus.UNPROCESSABLE_ENTITY,
}
# Messages that name a path on this machine are for its log alone.
_DETAILS: Mapping[type[errors.RagError], str] = {
    errors.StoreFull: "no room left on the server's disk: free some, then send it again",
    errors.StoreUnreadable: "the index can't be used: the server's log says why",
    errors.ModelUnavailable: "the model can't be loaded: the server's log says why",
}
_RETRY_SECONDS = "2"
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_log = logging.getLogger(__name__)


def status_of(kind: type[errors.RagError]) -> HTTPStatus:
    """The status of an error's class, or of the nearest class above it."""
    return next(STATUSES[base] for base in kind.__mro__ if base in STATUSES)


def problem(
    request_id: str, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    """A problem response; `more` are extension members."""
    return JSONResponse(
        {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": int(status),
            "detail": detail,
            "request_id": request_id,
            **more,
        },
        status,
        _with_retry(status, headers),
        media_type="application/problem+json",
    )


def shown(error: errors.RagError) -> str:
    """What a client may read of an error."""
    return _DETAILS.get(type(error), str(error))


def unreadable(request_id: str, error: errors.RagError) -> JSONResponse:
    """The problem of an error whose message is for the log alone."""
    _log.error("request %s: %s", request_id, error)
    return problem(request_id, status_of(type(error)), shown(error))


def _with_retry(status: int, headers: Mapping[str, str] | None) -> dict[str, str]:
    retry = {"Retry-After": _RETRY_SECONDS} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return {**retry, **(headers or {})}


def install(app: FastAPI) -> None:
    """Makes every error that can leave a route a problem response."""

    @app.exception_handler(errors.RagError)
    async def on_rag_error(request: Request, error: errors.RagError) -> JSONResponse:
        request_id = request.state.request_id
        if type(error) in _DETAILS:
            return unreadable(request_id, error)
        return problem(request_id, status_of(type(error)), str(error))

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        detail = "; ".join(_told(one) for one in error.errors())
        return problem(request.state.request_id, HTTPStatus.UNPROCESSABLE_ENTITY, detail)

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> JSONResponse:
        headers = error.headers
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers = {**(headers or {}), "Allow": _allowed(request)}
        return problem(request.state.request_id, error.status_code, str(error.detail), headers)


def _allowed(request: Request) -> str:
    """Every method that the path takes: a route which refuses knows its own alone."""

    def takes(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    return ", ".join(filter(takes, _METHODS))


def _told(error: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"] if part != "body")
    what = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {what}" if where else what
