"""An SDP offer as a browser makes it, and what strangers make of it."""

from hypothesis import strategies as st

OFFER = """v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=mid:0
a=sendrecv
a=rtcp-mux
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuv
a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF
a=setup:actpass
a=rtpmap:96 VP8/90000
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host
"""


@st.composite
def broken_offers(draw):
    """A right offer with lines lost, doubled, cut, swapped or filled with anything."""
    lines = OFFER.splitlines()
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(1, len(lines) - 1))
        lines[at : at + 1] = draw(
            st.sampled_from(
                [
                    [],
                    [lines[at]] * 2,
                    [lines[at][: len(lines[at]) // 2]],
                    [draw(st.text(max_size=20))],
                    [lines[at] + " x"],
                ]
            )
        )
    return "\r\n".join(lines) + "\r\n"
