"""What Prometheus and the log are told of a live session."""

from __future__ import annotations

import json
import logging
import time
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from livelight.errors import DeviceError, MissingExtra, OutputError, SettingsError
from livelight.live_log import live_log, write_notice
from livelight.live_stats import LiveStats
from livelight.metrics import LiveCollector, MetricsServer, parsed_address


@pytest.fixture
def stats():
    told = LiveStats()
    told.phase, told.runtime, told.level = "running", "openvino", "full"
    told.relit, told.skipped, told.dropped, told.dropped_late, told.resets = 7, 2, 3, 1, 4
    for ms in range(1, 101):
        told.times.record("network", float(ms))
    told.times.record("light", 5.0)
    for _ in range(10):
        told.frame_shown(time.monotonic() - 0.050)
    return told


def scraped(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return {(s.name, *sorted(s.labels.items())): s.value for family in families for s in family.samples}


def test_prometheus_is_told_every_figure(stats):
    with MetricsServer(stats, 0) as server:
        told = scraped(server.port)
        assert told[("livelight_frames_relit_total",)] == 7
        assert told[("livelight_frames_skipped_total",)] == 2
        assert told[("livelight_frames_shown_total",)] == 10
        assert told[("livelight_frames_dropped_total", ("at", "capture"))] == 3
        assert told[("livelight_frames_dropped_total", ("at", "output"))] == 1
        assert told[("livelight_resets_total",)] == 4
        assert 0 <= told[("livelight_fps",)] <= 5  # 10 frames in the window of 2 s, if it is not over yet
        assert told[("livelight_latency_seconds",)] >= 0.050
        assert told[("livelight_phase", ("phase", "running"))] == 1
        assert told[("livelight_phase", ("phase", "paused"))] == 0
        stage = ("livelight_stage_seconds",)
        assert told[(*stage, ("quantile", "0.5"), ("stage", "network"))] == pytest.approx(0.0505)
        assert told[(*stage, ("quantile", "0.95"), ("stage", "network"))] == pytest.approx(0.096, abs=1e-3)
        assert told[(*stage, ("quantile", "0.95"), ("stage", "light"))] == 0.005
        assert told[("process_resident_memory_bytes",)] > 0
        stats.relit = 8
        assert scraped(server.port)[("livelight_frames_relit_total",)] == 8


def test_a_session_that_has_shown_nothing_has_no_latency():
    with MetricsServer(LiveStats(), 0) as server:
        told = scraped(server.port)
        assert ("livelight_latency_seconds",) not in told
        assert told[("livelight_phase", ("phase", "starting"))] == 1


def test_a_port_that_is_taken_and_one_that_is_free_again(stats):
    with MetricsServer(stats, 0) as server:
        port = server.port
        with pytest.raises(DeviceError, match=str(port)):
            MetricsServer(stats, port)
    MetricsServer(stats, port).close()


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "prometheus_client", None)
    with pytest.raises(MissingExtra, match=r"livelight\[metrics\]"):
        LiveCollector(LiveStats())


def test_addresses():
    assert parsed_address("9101") == ("127.0.0.1", 9101)
    assert parsed_address("0.0.0.0:80") == ("0.0.0.0", 80)
    for wrong in ("", "port", "localhost:", "70000", "-1"):
        with pytest.raises(SettingsError):
            parsed_address(wrong)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_log_holds_figures_notices_and_what_modules_say(stats, tmp_path):
    path = tmp_path / "live.log"
    with live_log(str(path), stats):
        write_notice("The camera is back.")
        logging.getLogger("livelight.capture").warning("slow: %d", 3)
        stats.phase = "ended"
    notice, warning, figures = lines(path)
    assert notice["message"] == "The camera is back."
    assert (warning["level"], warning["source"], warning["message"]) == ("warning", "livelight.capture", "slow: 3")
    assert (figures["phase"], figures["relit"], figures["stages_ms"]["network"]) == ("ended", 7, 50.5)
    assert notice["time"].endswith("+00:00")
    write_notice("After the end.")
    assert len(lines(path)) == 3


def test_figures_come_again_and_again(stats, tmp_path):
    path = tmp_path / "live.log"
    with live_log(str(path), stats, every_s=0.01):
        until = time.monotonic() + 60
        while time.monotonic() < until and (not path.exists() or len(lines(path)) < 3):
            time.sleep(0.02)
    assert len(lines(path)) >= 4


def test_a_second_log_goes_on_in_the_same_file(stats, tmp_path):
    for _ in range(2):
        with live_log(str(tmp_path / "live.log"), stats):
            pass
    assert len(lines(tmp_path / "live.log")) == 2


@pytest.mark.parametrize("content", [b"\0\0\0\x18ftypmp42", b"notes of my own\n", b"{}\n", b"\n"])
def test_what_is_no_log_is_never_added_to(stats, tmp_path, content):
    path = tmp_path / "mine"
    path.write_bytes(content)
    with pytest.raises(OutputError, match="is no log of LiveLight; choose another name"), live_log(str(path), stats):
        pass
    assert path.read_bytes() == content
    path.write_bytes(b"")
    with live_log(str(path), stats):
        pass
    assert len(lines(path)) == 1


def test_a_log_to_stderr(stats, capsys):
    with live_log("-", stats):
        pass
    assert json.loads(capsys.readouterr().err)["phase"] == "running"


def test_a_place_that_cannot_be_written(stats, tmp_path):
    for place in (tmp_path, tmp_path / "none" / "x.log"):
        with pytest.raises(OutputError), live_log(str(place), stats):
            pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_disk_that_fills_up_ends_the_log_with_one_word(stats, capsys):
    with live_log("/dev/full", stats, every_s=0.01):
        time.sleep(0.1)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "/dev/full cannot be written any more" in said[0]
