"""Who gets in: asked of a request's head alone, before any of its body is read."""

from __future__ import annotations

import hmac
import ipaddress
import re

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Scope

from rag.access import UNRESTRICTED, Access, Tokens, hashed
from rag.errors import ReadOnly, StoreUnreadable

HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
_ASKING = frozenset({"/v1/ask", "/v1/search", "/v1/verify"})  # sent by POST, and change nothing
_ELSEWHERE = frozenset({"cross-site", "same-site"})  # as browsers say of another origin's page
_PUBLIC = re.compile(r"/|/page/[^/]+|/docs(/.*)?|/openapi\.json|/healthz|/readyz")
_METRICS = "/metrics"
NOBODY = Access(writes=False, collections=frozenset())
"""What somebody without a token may do where one is wanted: see what is public."""


class Gate:
    """Knows the server's own token and the named ones, and what each may do; with `read_only`
    none may change anything.

    Once a token has been wanted it is wanted until the end of the process: taking the last one back
    must not open the doors.
    """

    def __init__(self, token: str | None, tokens: Tokens, *, read_only: bool) -> None:
        self._own = hashed(token.encode()) if token else None
        self._tokens = tokens
        self._read_only = read_only
        self._is_closed = False

    def admit(self, scope: Scope) -> Access:
        """What the client may do. Raises `HTTPException` where that is not what it asks for, and
        `StoreUnreadable` where nobody can tell.
        """
        headers, path = Headers(scope=scope), scope["path"]
        is_public = bool(_PUBLIC.fullmatch(path))
        access = self._known(headers, public=is_public)
        if not (is_public or self._is_closed or _is_own_name(headers.get("host", ""))):
            raise HTTPException(
                403,
                "without a token this server answers to localhost and to addresses, for a name in "
                "the web may be led here by a page of its own: make a token with `rag token add`",
            )
        is_change = scope["method"] not in HARMLESS
        if is_change and headers.get("sec-fetch-site") in _ELSEWHERE:
            raise HTTPException(403, "a page of another site sent this: it is not obeyed")
        if is_change and path not in _ASKING:
            self._check_writes(access)
        if path == _METRICS and access.collections is not None:
            raise HTTPException(403, "this token is for some collections: metrics are of all")
        return access

    def _check_writes(self, access: Access) -> None:
        if self._read_only:
            raise HTTPException(403, str(ReadOnly()))
        if not access.writes:
            raise HTTPException(403, "this token only reads: ask for one that may write")

    def _known(self, headers: Headers, *, public: bool) -> Access:
        try:
            access = self._bearer(headers) if self._wants_token() else UNRESTRICTED
        except StoreUnreadable:
            if not public:
                raise
            access = None
        if access is None and not public:
            raise HTTPException(
                401,
                "this server wants a token: send Authorization: Bearer TOKEN",
                {"WWW-Authenticate": "Bearer"},
            )
        return access or NOBODY

    def _wants_token(self) -> bool:
        self._is_closed = self._is_closed or bool(self._own or self._tokens.all())
        return self._is_closed

    def _bearer(self, headers: Headers) -> Access | None:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        secret = given.strip().encode("latin-1")  # gives back the bytes that came
        if self._own and hmac.compare_digest(hashed(secret), self._own):
            return UNRESTRICTED
        return self._tokens.access(secret)


def _is_own_name(host: str) -> bool:
    """Whether no page of the web can have this Host: an address, or a name that the DNS of the web
    doesn't give out. Any other can be made to mean this machine (DNS rebinding).
    """
    name = re.sub(r":\d*$", "", host)
    if "." not in name or name.startswith("[") or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
