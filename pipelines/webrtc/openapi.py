"""The HTTP surface in the words of OpenAPI 3.1, served at /api/openapi.json; settings come from the one schema."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from livelight import __version__
from livelight.config import RelightSettings
from livelight.control import LIVE_FIELDS
from pipelines.webrtc.sdpfrag import CONTENT_TYPE as FRAGMENT

Json = dict[str, Any]

_SDP = {"application/sdp": {"schema": {"type": "string"}}}
_PICTURE = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_JPEG = {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}
_REFUSALS = {
    400: "Cannot be read.",
    401: "Without the token.",
    403: "From a page of another origin.",
    404: "Not there, or not any more.",
    405: "No such method here.",
    406: "Nothing of the offer can be sent or received here.",
    408: "The body came too slowly.",
    409: "Somebody else sends under this name.",
    413: "The body is too long.",
    415: "The body is of another type.",
    422: "Read, but not possible.",
    429: "Too many requests; Retry-After says when to ask again.",
    503: "All places are taken, or the engine has stopped; Retry-After says when to ask again.",
    507: "No room for more.",
}
_ALWAYS = (400, 401, 403, 404, 429)
_BODY = (408, 413, 415, 422)


class OpenApi:
    """Handler of /api/openapi.json."""

    def routes(self) -> list[web.RouteDef]:
        """What the application serves of this."""
        return [web.get("/api/openapi.json", self._document)]

    async def _document(self, request: web.Request) -> web.Response:
        return web.json_response(document())


def document() -> Json:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "livelight serve", "version": __version__},
        "security": [{}, {"token": []}],
        "paths": {**_sessions(), **_peers("whip"), **_peers("whep"), **_galleries(), **_presets(), **_camera()},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Settings": _settings(),
                "Problem": {
                    "type": "object",
                    "required": ["problem"],
                    "additionalProperties": False,
                    "properties": {"problem": {"type": "string", "description": "One sentence."}},
                },
                "Exhibit": {
                    "type": "object",
                    "required": ["id", "title", "kind"],
                    "properties": {
                        "id": {"type": "string"},
                        "title": {"type": "string"},
                        "kind": {"enum": ["preset", "upload", "own"]},
                    },
                },
            },
        },
    }


def _settings() -> Json:
    """Of livelight.config alone; a request may leave any of them out."""
    properties = RelightSettings.model_json_schema()["properties"]
    return {"type": "object", "properties": {name: properties[name] for name in LIVE_FIELDS}}


def _ref(name: str) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _json(**schema: Any) -> Json:
    return {"application/json": {"schema": schema}}


def _operation(
    summary: str,
    answers: dict[int, Json | None],
    body: Json | None = None,
    refusals: tuple[int, ...] = (),
    query: tuple[str, ...] = (),
) -> Json:
    """answers: status -> content, None without one. refusals: besides those that every operation has."""
    responses: Json = {str(code): _response(summary, content) for code, content in answers.items()}
    more = (*refusals, *(_BODY if body else ()))
    responses |= {str(code): _response(_REFUSALS[code], _ref("Problem")) for code in sorted({*_ALWAYS, *more})}
    operation: Json = {"summary": summary, "responses": responses}
    if body:
        operation["requestBody"] = {"required": True, "content": body}
    if query:
        operation["parameters"] = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in query]
    return operation


def _response(text: str, content: Json | None) -> Json:
    return {"description": text} | ({"content": content} if content else {})


def _path(*names: str, **operations: Json) -> Json:
    """names: of what stands in braces in the path."""
    told = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    return operations | ({"parameters": told} if told else {})


def _sessions() -> Json:
    settings = _ref("Settings")
    return {
        "/metrics": _path(
            get=_operation("Figures for Prometheus.", {200: {"text/plain": {"schema": {"type": "string"}}}, 501: None})
        ),
        "/api/openapi.json": _path(get=_operation("This description.", {200: _json(type="object")})),
        "/api/schema": _path(get=_operation("The settings that may change.", {200: _json(type="object")})),
        "/api/health": _path(
            get=_operation("Whether it works, and its places.", {200: _json(type="object")}, None, (503,))
        ),
        "/api/sessions": _path(
            post=_operation("Open a session with an SDP offer; the answer.", {201: _SDP}, _SDP, (406, 503))
        ),
        "/api/sessions/{id}": _path("id", delete=_operation("End a session.", {204: None})),
        "/api/sessions/{id}/settings": _path(
            "id",
            get=_operation("Its settings.", {200: settings}),
            patch=_operation("Change some of them; all of them after it.", {200: settings}, settings),
        ),
    }


def _peers(prefix: str) -> Json:
    """WHIP or WHEP."""
    what = "Push a stream" if prefix == "whip" else "Watch a stream"
    fragment = {FRAGMENT: {"schema": {"type": "string"}}}
    opened: dict[int, Json | None] = {201: _SDP} if prefix == "whip" else {201: _SDP, 406: _SDP}
    patched: dict[int, Json | None] = {200: fragment, 204: None}
    return {
        f"/{prefix}/{{name}}": _path(
            "name",
            post=_operation(f"{what} under this name.", opened, _SDP, (409, 503)),
            options=_operation("What may be posted, and the ICE servers.", {204: None}),
        ),
        f"/{prefix}/{{name}}/{{id}}": _path(
            "name",
            "id",
            patch=_operation("Trickle ICE, or an ICE restart.", patched | {412: None, 428: None}, fragment | _SDP),
            delete=_operation("End it.", {200: None}),
            options=_operation("What may be sent.", {204: None}),
        ),
    }


def _galleries() -> Json:
    paths = {}
    for shelf in ("envs", "backgrounds"):
        listed = _json(type="array", items={"$ref": "#/components/schemas/Exhibit"})
        paths[f"/api/{shelf}"] = _path(
            get=_operation("All of them.", {200: listed}),
            post=_operation("Upload one.", {201: _ref("Exhibit")}, _PICTURE, (), ("title",)),
        )
        paths[f"/api/{shelf}/{{id}}"] = _path("id", delete=_operation("Remove an upload.", {204: None}))
        paths[f"/api/{shelf}/{{id}}/thumbnail.jpg"] = _picture("Its thumbnail.")
    return paths | {"/api/envs/{id}/ball.jpg": _picture("A chrome ball in it.")}


def _picture(summary: str) -> Json:
    return _path("id", get=_operation(summary, {200: _JPEG, 304: None}, None, (422,)))


def _presets() -> Json:
    settings = _ref("Settings")
    return {
        "/api/presets": _path(get=_operation("Their names.", {200: _json(type="array", items={"type": "string"})})),
        "/api/presets/{name}": _path(
            "name",
            get=_operation("What it sets.", {200: settings}, None, (422,)),
            put=_operation("Save it.", {200: settings, 201: settings}, settings, (507,)),
            delete=_operation("Remove it.", {204: None}, None, (422, 507)),
        ),
    }


def _camera() -> Json:
    texts = {"camera": {"type": "string"}, "sink": {"type": "string"}}
    switch = _json(type="object", required=["running"], properties={"running": {"type": "boolean"}} | texts)
    settings, state = _ref("Settings"), _json(type="object")
    return {
        "/api/camera": _path(
            get=_operation("The cameras of the server's machine, and what runs.", {200: state}),
            post=_operation("Start or stop.", {200: state}, switch),
        ),
        "/api/camera/settings": _path(patch=_operation("Change its settings.", {200: settings}, settings)),
    }
