"""The newest-frame slot."""

import threading

import pytest

from livelight.slot import Slot


def test_the_newest_wins_and_the_lost_are_counted():
    slot = Slot()
    for k in range(5):
        slot.put(k)
    assert slot.get() == 4
    assert slot.dropped == 4
    assert slot.get(timeout_s=0.01) is None


def test_the_end_comes_after_the_last_item():
    slot = Slot()
    slot.put("last")
    slot.finish()
    slot.put("too late")
    assert slot.finished
    assert slot.get() == "last"
    assert slot.get() is None


def test_the_writers_error_comes_after_the_last_item():
    slot = Slot()
    slot.put(1)
    slot.finish(OSError("unplugged"))
    slot.finish()
    assert slot.get() == 1
    with pytest.raises(OSError, match="unplugged"):
        slot.get()


def test_a_waiting_reader_is_woken():
    slot, taken = Slot(), []
    reader = threading.Thread(target=lambda: taken.extend([slot.get(), slot.get()]))
    reader.start()
    slot.put("frame")
    slot.finish()
    reader.join(30)
    assert taken == ["frame", None]
