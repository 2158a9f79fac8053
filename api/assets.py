"""The page and the API's documentation: static files of this package, nothing from elsewhere."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import fastapi_offline
from fastapi import APIRouter
from fastapi.responses import FileResponse
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
async def index() -> FileResponse:
    return _file(_PAGE, "index.html")


@assets.get("/page/{name}")
async def page(name: str) -> FileResponse:
    return _file(_PAGE, name)


@assets.get("/docs")
async def docs() -> FileResponse:
    return _file(_PAGE, "docs.html")


@assets.get("/docs/{name}")
async def swagger(name: str) -> FileResponse:
    return _file(_SWAGGER, name)


def _file(folder: Path, name: str) -> FileResponse:
    # Looked up, never joined: no path from a client becomes a path on the server.
    known = {path.name: path for path in folder.iterdir() if path.suffix in _TYPES}
    if name not in known:
        raise HTTPException(404, "no such file: the page is at /, the documentation at /docs")
    path = known[name]
    return FileResponse(path, media_type=_TYPES[path.suffix])
