"""What every handler answers with: JSON, or one sentence with a fitting status."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from livelight.errors import DeviceError, InputError, LightError, LiveLightError, MissingExtra, SettingsError
from pipelines.webrtc.hub import Full, Taken
from pipelines.webrtc.peer import NotAcceptable

BODY_S = 15.0
"""A body that takes longer to come is given up."""

_STATUS: tuple[tuple[type[LiveLightError], int], ...] = (
    (Full, 503),
    (Taken, 409),
    (SettingsError, 422),
    (NotAcceptable, 406),
    (InputError, 400),
    (LightError, 422),
    (DeviceError, 422),
    (MissingExtra, 501),
)


def problem(status: int, sentence: str, headers: dict[str, str] | None = None) -> web.Response:
    """{"problem": sentence} with a 4xx or 5xx status."""
    return web.json_response({"problem": sentence}, status=status, headers=headers)


@web.middleware
async def as_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what handlers raise on purpose into problems; a fault of ours stays a 500, with its trace in the log."""
    try:
        return await handler(request)
    except LiveLightError as exc:
        status = next((code for kind, code in _STATUS if isinstance(exc, kind)), 500)
        return problem(status, str(exc), {"Retry-After": str(exc.retry_s)} if isinstance(exc, Full) else None)
    except web.HTTPException as exc:
        if exc.status < 400:
            raise
        kept = {name: exc.headers[name] for name in ("Allow", "Retry-After") if name in exc.headers}
        return problem(exc.status, exc.text or exc.reason, kept)


async def body(request: web.Request, limit: int) -> bytes:
    """The whole body. Raises 413 above ``limit`` bytes, 408 if it comes too slowly."""
    too_large = web.HTTPRequestEntityTooLarge(max_size=limit, text=f"the body is longer than {limit} bytes")
    if request.content_length is not None and request.content_length > limit:
        raise too_large
    parts = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.content.iter_chunked(65536):
                parts += part
                if len(parts) > limit:
                    raise too_large
    except TimeoutError:
        raise web.HTTPRequestTimeout(text=f"the body did not come within {BODY_S:.0f} seconds") from None
    return bytes(parts)


async def text_body(request: web.Request, content_type: str, limit: int) -> str:
    """The body as text of the type expected. Raises 415 for another type, 400 for what is no UTF-8."""
    if request.content_type != content_type:
        raise web.HTTPUnsupportedMediaType(text=f"expected Content-Type {content_type}")
    try:
        return (await body(request, limit)).decode()
    except UnicodeDecodeError:
        raise web.HTTPBadRequest(text="expected UTF-8") from None


async def json_body(request: web.Request, limit: int = 16384) -> Any:
    """The body as JSON. Raises 415 or 400."""
    text = await text_body(request, "application/json", limit)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest(text="expected JSON") from None
