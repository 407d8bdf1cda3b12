"""``livelight serve`` as a command: it says where it is open, answers, and ends on SIGTERM; or what it cannot open."""

import json
import urllib.request

import pytest

from tests.pipelines.conftest import Run
from tests.pipelines.webrtc.page.browser import WITH_FAKES, serving


def test_it_opens_answers_and_ends(tmp_path):
    with serving(config=tmp_path, program=WITH_FAKES) as url:
        with urllib.request.urlopen(url + "api/health", timeout=300) as answer:
            assert json.load(answer)["runtime"] == "identity"
        with urllib.request.urlopen(url, timeout=300) as page:
            assert b"<title>LiveLight</title>" in page.read()


@pytest.mark.parametrize("option", ["--env", "--background"])
def test_a_light_that_cannot_be_opened_is_told_before_it_serves(in_process: Run, tmp_path, option):
    status, stderr = in_process("serve", option, tmp_path / "none.png", "--port", "0")
    assert status == 1
    assert "none.png: no such file" in stderr
    assert "is open" not in stderr
