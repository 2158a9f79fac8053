"""The page and the API's documentation: static files of this package, nothing from elsewhere."""

from __future__ import annotations

import gzip
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import fastapi_offline
from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

_PAGE = Path(str(files("api"))) / "page"
_SWAGGER = Path(fastapi_offline.__file__).parent / "static"
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

assets = APIRouter(include_in_schema=False)


@assets.get("/")
async def index(request: Request) -> Response:
    return _file(request, _PAGE, "index.html")


@assets.get("/page/{name}")
async def page(request: Request, name: str) -> Response:
    return _file(request, _PAGE, name)


@assets.get("/docs")
async def docs(request: Request) -> Response:
    return _file(request, _PAGE, "docs.html")


@assets.get("/docs/{name}")
async def swagger(request: Request, name: str) -> Response:
    return _file(request, _SWAGGER, name)


def _file(request: Request, folder: Path, name: str) -> Response:
    # Looked up, never joined: no path from a client becomes a path on the server.
    known = {path.name: path for path in folder.iterdir() if path.suffix in _TYPES}
    if name not in known:
        raise HTTPException(404, "no such file: the page is at /, the documentation at /docs")
    path, kind = known[name], _TYPES[known[name].suffix]
    packs = "gzip" in request.headers.get("accept-encoding", "")
    headers = {"Vary": "Accept-Encoding"} | ({"Content-Encoding": "gzip"} if packs else {})
    # Always whole: a FileResponse answers a strange Range with an error that is no problem.
    content = _content(path, path.stat().st_mtime_ns, packed=packs)
    return Response(content, media_type=kind, headers=headers)


@lru_cache(maxsize=128)
def _content(path: Path, _: int, *, packed: bool) -> bytes:
    """A file as it goes over the wire, made once for each of its versions."""
    content = path.read_bytes()
    return gzip.compress(content, mtime=0) if packed else content
