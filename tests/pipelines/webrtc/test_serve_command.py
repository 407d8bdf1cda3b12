"""``livelight serve`` as a command: it says where it is open, answers, and ends on SIGTERM; or what it cannot open."""

import asyncio
import json
import signal
import threading
import urllib.request

import pytest

from livelight.errors import OutputError
from livelight.fakes import IdentityRelighter
from pipelines.webrtc import app as web_app
from pipelines.webrtc.serve_settings import ServeSettings
from tests.pipelines.conftest import Run
from tests.pipelines.webrtc.page.browser import WITH_FAKES, serving


def test_it_opens_answers_and_ends(tmp_path):
    with serving(config=tmp_path, program=WITH_FAKES) as url:
        with urllib.request.urlopen(url + "api/health", timeout=300) as answer:
            assert json.load(answer)["runtime"] == "identity"
        with urllib.request.urlopen(url, timeout=300) as page:
            assert b"<title>LiveLight</title>" in page.read()


def test_ctrl_c_is_told_by_the_exit_status(tmp_path):
    with serving(config=tmp_path, program=WITH_FAKES, end=signal.SIGINT):
        pass  # serving looks at the status


@pytest.mark.parametrize("option", ["--env", "--background"])
def test_a_light_that_cannot_be_opened_is_told_before_it_serves(in_process: Run, tmp_path, option):
    status, stderr = in_process("serve", option, tmp_path / "none.png", "--port", "0")
    assert status == 1
    assert "none.png: no such file" in stderr
    assert "is open" not in stderr


@pytest.mark.parametrize("token", [b"", b"short\n", b"with spaces in the middle", b"\xff\xfe" * 20])
def test_a_token_that_is_none_is_told_before_anything_is_started(in_process: Run, tmp_path, token):
    (tmp_path / "token").write_bytes(token)
    status, stderr = in_process("serve", "--token-file", tmp_path / "token", "--port", "0")
    assert status == 1
    assert stderr.startswith(f"livelight: {tmp_path / 'token'}")
    assert len(stderr.splitlines()) == 1


def test_what_fails_after_the_engine_has_started_ends_it(monkeypatch):
    def full(gallery):
        raise OutputError("no room")

    monkeypatch.setattr(web_app, "Uploads", full)
    with pytest.raises(OutputError, match="no room"):
        asyncio.run(web_app.build_app(ServeSettings(port=0), IdentityRelighter))
    assert "livelight-engine" not in {thread.name for thread in threading.enumerate()}


def test_a_turn_credential_that_is_none_is_told_before_anything_is_started(in_process: Run, monkeypatch):
    monkeypatch.setenv("LIVELIGHT_TURN", "foo")
    status, stderr = in_process("serve", "--turn", "turn:a:1", "--port", "0")
    assert status == 1
    assert stderr == "livelight: LIVELIGHT_TURN: expected USER:PASSWORD, got no colon; set both, or neither.\n"
