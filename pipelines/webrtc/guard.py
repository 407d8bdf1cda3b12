"""Guard: who may ask, how often, and the headers that every answer carries."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from pipelines.webrtc.replies import problem
from pipelines.webrtc.serve_settings import ServeSettings

COOKIE = "livelight"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=()",
}
_OPEN = ("/", "/api/health")
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_EXPOSED = "Location, ETag, Link, Retry-After, Accept-Patch, Accept-Post"


class Guard:
    """One for the whole server. In the event loop alone."""

    def __init__(self, settings: ServeSettings) -> None:
        self._token = settings.token()
        self._loopback = settings.loopback
        self._origins = {origin.strip().rstrip("/") for origin in settings.origins.split(",") if origin.strip()}
        self._cookie = self._made_cookie()
        self._rates = {"any": Rate(60.0, 240.0), "post": Rate(5.0, 60.0), "upload": Rate(0.5, 10.0)}

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse with 403, 401 or 429, or let through; then set the headers."""
        refused = self._foreign(request) or self._too_often(request)
        if refused is None and request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response: web.StreamResponse = self._preflight()
        else:
            response = refused or self._stranger(request) or await self._passed(request, handler)
        self._dress(request, response)
        return response

    async def _passed(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as exc:  # a redirect, or what no handler turned into a problem
            return exc

    def _foreign(self, request: web.Request) -> web.Response | None:
        """A page of another origin, or a name that was bent to this address (DNS rebinding)."""
        if self._loopback and _host_name(request.host) not in _LOCAL_NAMES:
            return problem(403, "this server answers to localhost only")
        origin = request.headers.get("Origin")
        if origin is None or origin in self._origins or origin == f"{request.scheme}://{request.host}":
            return None
        return problem(403, "pages of another origin may not use this server; allow them with --origins")

    def _too_often(self, request: web.Request) -> web.Response | None:
        kinds = ["any"]
        if request.method == "POST":
            kinds.append("upload" if request.path in ("/api/envs", "/api/backgrounds") else "post")
        for kind in kinds:
            wait_s = self._rates[kind].wait_s(request.remote or "")
            if wait_s > 0:
                return problem(429, "too many requests; wait a little", {"Retry-After": str(int(wait_s) + 1)})
        return None

    def _stranger(self, request: web.Request) -> web.Response | None:
        """Without the token, where one is set. A page's pictures cannot carry one: for GET a cookie will do."""
        if self._token is None or request.path in _OPEN or request.path.startswith("/page/"):
            return None
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self._token.encode()):
            return None
        cookie = request.cookies.get(COOKIE, "")
        if request.method == "GET" and hmac.compare_digest(cookie.encode(), self._cookie.encode()):
            return None
        return problem(401, "expected the server's token: Authorization: Bearer", {"WWW-Authenticate": "Bearer"})

    def _preflight(self) -> web.Response:
        return web.Response(
            status=204,
            headers={
                "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
                "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match, Link",
                "Access-Control-Max-Age": "600",
            },
        )

    def _dress(self, request: web.Request, response: web.StreamResponse) -> None:
        if response.prepared:
            return
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        origin = request.headers.get("Origin")
        if origin in self._origins and origin is not None:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = _EXPOSED
            response.headers["Vary"] = "Origin"
        if request.path.startswith("/api/"):
            response.headers.setdefault("Cache-Control", "no-store")
        if self._token is not None and "Authorization" in request.headers and response.status < 400:
            response.set_cookie(
                COOKIE, self._cookie, httponly=True, secure=request.secure, samesite="Strict", path="/api/"
            )

    def _made_cookie(self) -> str:
        return hmac.new(secrets.token_bytes(32), (self._token or "").encode(), hashlib.sha256).hexdigest()


class Rate:
    """A bucket of requests per address: ``burst`` at once, ``per_s`` in the long run. Bounded in memory."""

    def __init__(self, per_s: float, burst: float, addresses: int = 4096) -> None:
        self._per_s = per_s
        self._burst = burst
        self._addresses = addresses
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait_s(self, address: str) -> float:
        """Count one request: 0 if it may pass, else the seconds until it might."""
        now_s = time.monotonic()
        left, since_s = self._buckets.pop(address, (self._burst, now_s))
        left = min(left + (now_s - since_s) * self._per_s, self._burst)
        wait_s = 0.0 if left >= 1 else (1 - left) / self._per_s
        self._buckets[address] = (left - 1 if left >= 1 else left, now_s)
        if len(self._buckets) > self._addresses:
            del self._buckets[next(iter(self._buckets))]  # the one that was silent longest
        return wait_s


def _host_name(host: str) -> str:
    """The name of a Host header without the port; empty for a broken one."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
