"""More than one machine: ``livelight serve --cluster N`` spreads sessions over N workers of a Ray cluster.

Each worker is a Ray actor with the whole server inside, on its own machine's loopback, and its own relighter (a GPU
where Ray has some). This process is the door: it checks who asks, finds the worker with most room, hands the request
over by Ray, and writes the worker's number into the session's URL. Nothing about a session is kept here, so that any
number of doors can stand behind a load balancer. Pictures go straight between the peer and the worker (ICE).

Plain actors and not Ray Serve replicas: a peer connection lives in one process, and Serve's router cannot be told which
replica a later PATCH or DELETE belongs to.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import ray
from aiohttp import web
from ray.exceptions import RayError

from livelight.session import OpenRelighter
from pipelines.webrtc.app import build_app
from pipelines.webrtc.guard import Guard
from pipelines.webrtc.listener import listening
from pipelines.webrtc.memory import few_arenas
from pipelines.webrtc.replies import as_problems, body, problem
from pipelines.webrtc.serve_settings import ServeSettings
from pipelines.webrtc.upload import MAX_BYTES

log = logging.getLogger(__name__)

ANSWER_S = 60.0
_AT_WORKER = re.compile(r"/w/(\d{1,4})(/.*)")
_PLACED = re.compile(r"/api/sessions|/whip/[^/]+")
_WATCHED = re.compile(r"/whep/[^/]+")
_PASSED_IN = ("Content-Type", "If-Match", "If-None-Match", "Accept")
_PASSED_OUT = ("Content-Type", "ETag", "Link", "Accept-Patch", "Accept-Post", "Allow", "Retry-After", "Cache-Control")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request on its way to a worker. path: with its query."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """What the worker said. headers: a list, since Link may come twice."""

    status: int
    headers: list[tuple[str, str]]
    content: bytes


class Worker:
    """The server inside a Ray actor. ``start`` first."""

    def __init__(self, settings: ServeSettings, open_relighter: Callable[[], OpenRelighter]) -> None:
        inside = {"host": "127.0.0.1", "port": 0, "tls_cert": None, "tls_key": None, "token_file": None, "cluster": 0}
        self._settings = settings.model_copy(update=inside)
        self._open_relighter = open_relighter
        self._stack = AsyncExitStack()
        self._url = ""

    async def start(self) -> None:
        """Open the relighter and listen on loopback. Raises LiveLightError."""
        few_arenas()
        app = await build_app(self._settings, self._open_relighter)
        self._url = (await self._stack.enter_async_context(listening(app, self._settings, None))).rstrip("/")
        self._http = await self._stack.enter_async_context(aiohttp.ClientSession())

    async def ask(self, asked: Asked) -> Answered:
        """Hand one request to the server inside."""
        url = self._url + asked.path
        async with self._http.request(asked.method, url, data=asked.content, headers=asked.headers) as response:
            headers = [(name, value) for name, value in response.headers.items() if name in (*_PASSED_OUT, "Location")]
            return Answered(response.status, headers, await response.read())

    async def stop(self) -> None:
        """End all sessions."""
        await self._stack.aclose()


class Door:
    """Finds the worker for each request. workers: handles of Ray actors of Worker."""

    def __init__(self, workers: list[Any]) -> None:
        self._workers = workers

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Every request comes here."""
        content = await body(request, MAX_BYTES)
        headers = {name: request.headers[name] for name in _PASSED_IN if name in request.headers}
        asked = Asked(request.method, request.rel_url.raw_path_qs, headers, content)
        placed = _AT_WORKER.fullmatch(asked.path)
        if placed:
            return await self._at(int(placed[1]), Asked(asked.method, placed[2], headers, content))
        if request.path == "/api/health":
            return await self._health()
        if request.method == "POST" and _PLACED.fullmatch(request.path):
            return await self._placed(asked)
        if request.method == "POST" and _WATCHED.fullmatch(request.path):
            return await self._watched(asked)
        return await self._at(0, asked)

    async def capacity(self) -> list[int]:
        """Sessions that each worker would still take; -1 for one that does not answer."""
        asked = Asked("GET", "/api/health", {}, b"")
        answers = await asyncio.gather(*(self._ask(number, asked) for number in range(len(self._workers))))
        return [_free(answer) for answer in answers]

    async def _health(self) -> web.Response:
        free = await self.capacity()
        workers = [{"worker": number, "ok": room >= 0, "free": max(room, 0)} for number, room in enumerate(free)]
        alive = any(room >= 0 for room in free)
        total = sum(max(room, 0) for room in free)
        return web.json_response({"ok": alive, "free": total, "workers": workers}, status=200 if alive else 503)

    async def _placed(self, asked: Asked) -> web.Response:
        """At the worker with most room; the next one if that was taken meanwhile."""
        free = await self.capacity()
        order = sorted((number for number, room in enumerate(free) if room > 0), key=lambda number: -free[number])
        for number in order:
            response = await self._at(number, asked)
            if response.status not in (502, 503):
                return response
        return problem(503, "all workers are full; try again in 5 seconds", {"Retry-After": "5"})

    async def _watched(self, asked: Asked) -> web.Response:
        """At the worker where somebody sends under this name."""
        response = problem(404, "nobody sends under this name now", {"Retry-After": "2"})
        for number in range(len(self._workers)):
            response = await self._at(number, asked)
            if response.status != 404:
                break
        return response

    async def _at(self, number: int, asked: Asked) -> web.Response:
        answer = await self._ask(number, asked) if number < len(self._workers) else None
        if answer is None:
            return problem(502, "the worker of this session does not answer; begin a new one")
        response = web.Response(status=answer.status, body=answer.content)
        for name, value in answer.headers:
            if name == "Location":
                response.headers[name] = f"/w/{number}{value}"
            elif name == "Content-Type":
                response.headers[name] = value
            else:
                response.headers.add(name, value)
        return response

    async def _ask(self, number: int, asked: Asked) -> Answered | None:
        try:
            async with asyncio.timeout(ANSWER_S):
                answered: Answered = await self._workers[number].ask.remote(asked)
                return answered
        except (RayError, TimeoutError) as exc:
            log.warning("worker %d does not answer: %s", number, type(exc).__name__)
            return None


@asynccontextmanager
async def cluster_app(
    settings: ServeSettings, open_relighter: Callable[[], OpenRelighter]
) -> AsyncIterator[web.Application]:
    """Workers, started, and the door's application, until the block ends. RAY_ADDRESS names the cluster to join."""
    ray.init(ignore_reinit_error=True, log_to_driver=False, include_dashboard=False)
    gpus = 1 if ray.cluster_resources().get("GPU", 0) >= settings.cluster else 0
    actor = ray.remote(Worker).options(num_cpus=1, num_gpus=gpus, max_concurrency=256)
    workers = [actor.remote(settings, open_relighter) for _ in range(settings.cluster)]
    try:
        await asyncio.gather(*(worker.start.remote() for worker in workers))
        app = web.Application(middlewares=[Guard(settings).middleware, as_problems], client_max_size=MAX_BYTES)
        app.router.add_route("*", "/{path:.*}", Door(workers).handle)
        yield app
    finally:
        await asyncio.gather(*(worker.stop.remote() for worker in workers), return_exceptions=True)
        for worker in workers:
            ray.kill(worker)


def _free(answer: Answered | None) -> int:
    if answer is None or answer.status != 200:
        return -1
    found = re.search(rb'"free": (\d+)', answer.content)
    return int(found[1]) if found else -1
