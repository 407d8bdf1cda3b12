"""STUN and TURN as the operator names them: for our own connections, and told to those who are let in."""

import asyncio

import pytest

from livelight.errors import SettingsError
from pipelines.webrtc.ice import ice_configuration
from pipelines.webrtc.serve_settings import ServeSettings
from tests.pipelines.webrtc.served import served

TURN = {"stun": "stun:192.0.2.1:3478", "turn": "turn:192.0.2.1:3478"}


def test_nobody_is_asked_by_default():
    assert ice_configuration(ServeSettings()).iceServers == []


def test_servers_and_credentials_are_used_and_told(monkeypatch):
    monkeypatch.setenv("LIVELIGHT_TURN", "me:pass:word")
    stun, turn = ice_configuration(ServeSettings(**TURN)).iceServers
    assert (stun.urls, stun.username) == (TURN["stun"], None)
    assert (turn.urls, turn.username, turn.credential) == (TURN["turn"], "me", "pass:word")

    async def run():
        async with served(**TURN) as site:
            options = await site.http.options(site.url + "/whip/a")
            assert options.headers.getall("Link") == [
                '<stun:192.0.2.1:3478>; rel="ice-server"',
                '<turn:192.0.2.1:3478>; rel="ice-server"; username="me"; credential="pass:word"; '
                'credential-type="password"',
            ]

    asyncio.run(run())


@pytest.mark.parametrize("setting", [{"stun": "192.0.2.1"}, {"turn": "http://192.0.2.1"}])
def test_an_address_that_is_none_is_refused(setting):
    with pytest.raises(SettingsError, match="expected stun:HOST:PORT or turn:HOST:PORT"):
        ice_configuration(ServeSettings(**setting))


@pytest.mark.parametrize("credential", ["foo", "foo:", ":secret", ":"])
def test_a_credential_that_is_none_is_refused_and_not_told(monkeypatch, credential):
    monkeypatch.setenv("LIVELIGHT_TURN", credential)
    with pytest.raises(SettingsError, match="expected USER:PASSWORD") as caught:
        ice_configuration(ServeSettings(**TURN))
    assert "foo" not in str(caught.value)
    assert "secret" not in str(caught.value)
