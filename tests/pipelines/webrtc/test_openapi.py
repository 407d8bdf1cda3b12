"""The description tells of every route and no other; requests made from it get answers that it names."""

import asyncio
import re
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings

from livelight.config import RelightSettings
from livelight.fakes import IdentityRelighter
from pipelines import webrtc
from pipelines.webrtc import peer
from pipelines.webrtc.app import build_app
from pipelines.webrtc.guard import Rate
from pipelines.webrtc.openapi import document
from pipelines.webrtc.schema import schema
from pipelines.webrtc.sdpfrag import CONTENT_TYPE as FRAGMENT
from pipelines.webrtc.serve_settings import ServeSettings
from tests.pipelines.webrtc.page.browser import serving_here

ELSEWHERE = r"^/api/camera$|thumbnail|ball"
"""Left to other tests: the first would look for devices, the others draw."""

CHECKS = ("status_code_conformance", "content_type_conformance", "response_schema_conformance")


def test_every_route_is_described():
    async def run():
        app = await build_app(ServeSettings(port=0), IdentityRelighter)
        routes = {(route.method, route.resource.canonical) for route in app.router.routes()}
        runner = web.AppRunner(app)
        await runner.setup()
        await runner.cleanup()
        return routes

    routes = asyncio.run(run())
    page = {(method, path) for method, path in routes if path == "/" or path.startswith("/page/")}
    methods = ("get", "put", "post", "patch", "delete", "options")
    told = {
        (method.upper(), path) for path, item in document()["paths"].items() for method in methods if method in item
    }
    assert {(method, path) for method, path in routes - page if method != "HEAD"} == told


def test_the_bounds_of_a_number_that_may_be_a_word_are_told():
    exposure = next(field for field in schema()["fields"] if field["name"] == "exposure")
    assert (exposure["kind"], exposure["min"], exposure["max"], exposure["choices"]) == ("number", -20, 20, ["keep"])
    number, word = document()["components"]["schemas"]["Settings"]["properties"]["exposure"]["anyOf"]
    assert (number["minimum"], number["maximum"], word["const"]) == (-20, 20, "keep")


def test_the_page_s_sliders_ask_for_nothing_that_is_refused():
    text = (Path(webrtc.__file__).parent / "page" / "fields.js").read_text()
    sliders = re.findall(r"^  (\w+): \{.*?min: (-?[\d.]+), max: (-?[\d.]+)", text, re.MULTILINE)
    assert {name for name, _, _ in sliders} >= {"exposure", "rotate_period_s", "blur", "fov_deg"}
    for name, low, high in sliders:
        RelightSettings(**{name: low})
        RelightSettings(**{name: high})


def test_answers_are_as_described(monkeypatch):
    schemathesis = pytest.importorskip("schemathesis", reason="pip install schemathesis")
    schemathesis.serializer("application/sdp", FRAGMENT)(lambda context, value: str(value).encode())
    monkeypatch.setattr(Rate, "wait_s", lambda self, address: 0.0)
    monkeypatch.setattr(peer, "CONNECT_S", 1.0)  # an offer that happens to be good holds no place
    with serving_here() as url:
        told = schemathesis.openapi.from_dict(document())
        told.config.update(base_url=url.rstrip("/"))
        operations = [one.ok() for one in told.exclude(path_regex=ELSEWHERE).get_all_operations()]
        assert len(operations) > 20
        for operation in operations:
            agreed(operation)


def agreed(operation):
    """Some requests of this operation, right and wrong ones, and what was answered."""
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    wanted = [not_a_server_error, *(getattr(checks, name) for name in CHECKS)]

    @settings(max_examples=4, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def asked(case):
        case.validate_response(case.call(), checks=wanted)

    asked()
