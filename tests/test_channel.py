import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livelight.channel import Channel


@given(count=st.integers(0, 50), depth=st.integers(1, 5))
def test_everything_arrives_in_order_and_never_more_than_depth_wait(count, depth):
    channel, waiting, most = Channel(depth), 0, 0
    lock = threading.Lock()

    def write():
        nonlocal waiting, most
        for item in range(count):
            channel.put(item)
            with lock:
                waiting += 1
                most = max(most, waiting)
        channel.finish()

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    while (item := channel.get()) is not None:
        with lock:
            waiting -= 1
        seen.append(item)
    writer.join()
    assert seen == list(range(count))
    assert most <= depth + 1  # one more may be counted between get and the lock


def test_the_error_comes_after_the_items():
    channel = Channel(3)
    channel.put("a")
    channel.finish(ValueError("broken"))
    assert channel.get() == "a"
    with pytest.raises(ValueError, match="broken"):
        channel.get()


def test_a_waiting_writer_is_let_go():
    channel, results = Channel(1), []
    channel.put("a")
    writer = threading.Thread(target=lambda: results.append(channel.put("b")))
    writer.start()
    channel.abandon()
    writer.join(timeout=5)
    assert results == [False]
