"""Noise of native libraries is dropped; what the program says meanwhile is not."""

import os
import sys
import threading

from livelight.native_noise import native_noise_hidden

NOISE = b"INFO: Created a delegate.\nW0000 00:00:17.2 1 manager.cc:121] Disabling support.\n"


def test_only_noise_is_dropped(capfd):
    with native_noise_hidden():
        os.write(2, NOISE)
        other = threading.Thread(target=lambda: print("the server is open", file=sys.__stderr__, flush=True))
        other.start()
        other.join()
        os.write(2, b"E0000 00:00:17.2 1 manager.cc:9] no such file\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err.splitlines() == [
        "the server is open",
        "E0000 00:00:17.2 1 manager.cc:9] no such file",
        "after",
    ]


def test_two_at_once_leave_stderr_as_it_was(capfd):
    inside, go_on = threading.Event(), threading.Event()

    def first():
        with native_noise_hidden():
            inside.set()
            go_on.wait(300)

    def second():
        with native_noise_hidden():
            os.write(2, NOISE)

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert inside.wait(300)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join()
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"
