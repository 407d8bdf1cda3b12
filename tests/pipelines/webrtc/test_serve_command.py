"""``livelight serve`` as a command: it says where it is open, answers, and ends on SIGTERM."""

import json
import urllib.request

from tests.pipelines.webrtc.page.browser import WITH_FAKES, serving


def test_it_opens_answers_and_ends(tmp_path):
    with serving(config=tmp_path, program=WITH_FAKES) as url:
        with urllib.request.urlopen(url + "api/health", timeout=300) as answer:
            assert json.load(answer)["runtime"] == "identity"
        with urllib.request.urlopen(url, timeout=300) as page:
            assert b"<title>LiveLight</title>" in page.read()
