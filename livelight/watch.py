"""Whether a call that may never return has been waited for too long."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from livelight.errors import RuntimeFailure

T = TypeVar("T")

LOOK_S = 0.1
"""Seconds between two looks at a call."""


@dataclass(frozen=True, eq=False, slots=True)
class Call:
    """doing: what was asked, for people. limit_s: seconds after which no answer is expected any more."""

    doing: str
    limit_s: float


class Unanswered(RuntimeFailure):
    """A call did not return within its limit; the thread that made it is still in it."""


class Watch:
    """Says what its thread waits for. One thread calls ``within``; another one waits for it in ``answer``."""

    def __init__(self) -> None:
        self.call: Call | None = None

    @contextmanager
    def within(self, limit_s: float, doing: str) -> Iterator[None]:
        """Around a call that must return within ``limit_s`` seconds; not to be nested."""
        self.call = Call(doing, limit_s)
        try:
            yield
        finally:
            self.call = None


def answer(future: Future[T], watch: Watch, who: str) -> T:
    """The future's result, for as long as it takes, as long as no single watched call takes longer than its limit.

    The limit is counted in looks at the same call, so that a machine that stood still, and this thread with it, is not
    taken for a call that hangs. Raises what the future raises, or Unanswered, in which ``who`` does not answer.
    """
    seen: Call | None = None
    looked_s = 0.0
    while True:
        done, _ = wait([future], timeout=LOOK_S)
        if done:
            return future.result()
        looked_s = looked_s + LOOK_S if watch.call is seen else 0.0
        seen = watch.call
        if seen is not None and looked_s >= seen.limit_s:
            raise Unanswered(f"{who} has not answered for {seen.limit_s:g} s in {seen.doing}")
