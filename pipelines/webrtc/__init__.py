"""``livelight serve``: relighting in the browser, and to any WebRTC program by WHIP and WHEP.

One frame's way: aiortc decodes it, ``drained`` (tracks) puts it into the session's LiveStream, the SharedEngine's
thread takes the newest of each session in turn, relights it, and offers it to the session's Outlets, from which aiortc
encodes. The event loop never runs a network and never waits for one.
"""
