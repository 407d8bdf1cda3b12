"""GStreamer's webrtcbin as a WHIP or WHEP peer: ``python3 gst_peer.py whip|whep URL SECONDS``; prints the frames seen.

Runs under the system's Python, which sees GStreamer's bindings, and needs nothing of ours. A stack of its own: libnice
for ICE, OpenSSL by GStreamer's dtls, its own RTP.
"""

import sys
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

PUSH = (
    "videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=15/1 ! vp8enc deadline=1 ! rtpvp8pay ! "
    "application/x-rtp,media=video,encoding-name=VP8,payload=96 ! webrtcbin name=peer bundle-policy=max-bundle"
)
CAPS = "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000"


class Peer:
    def __init__(self, mode, url, seconds):
        self.mode, self.url, self.frames, self.location = mode, url, 0, ""
        self.loop = GLib.MainLoop()
        self.posted = False
        if mode == "whip":
            self.pipeline = Gst.parse_launch(PUSH)
            self.bin = self.pipeline.get_by_name("peer")
        else:
            self.pipeline = Gst.Pipeline.new("watch")
            self.bin = Gst.ElementFactory.make("webrtcbin", "peer")
            self.bin.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
            self.pipeline.add(self.bin)
            self.bin.connect("pad-added", self.incoming)
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            self.bin.emit("add-transceiver", direction, Gst.Caps.from_string(CAPS))
        self.bin.connect("notify::ice-gathering-state", self.gathered)
        self.pipeline.set_state(Gst.State.PLAYING)
        GLib.timeout_add(200, self.offer)
        GLib.timeout_add(int(seconds * 1000), self.loop.quit)

    def offer(self):
        promise = Gst.Promise.new_with_change_func(self.offered)
        self.bin.emit("create-offer", None, promise)
        return False

    def offered(self, promise):
        promise.wait()
        reply = promise.get_reply()  # owns the offer: it must live as long
        self.bin.emit("set-local-description", reply.get_value("offer"), Gst.Promise.new())

    def gathered(self, *_):
        if self.bin.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(self.post)

    def post(self):
        if self.posted:
            return False
        self.posted = True
        sdp = self.bin.get_property("local-description").sdp.as_text()
        request = urllib.request.Request(self.url, sdp.encode(), {"Content-Type": "application/sdp"})
        with urllib.request.urlopen(request, timeout=60) as response:
            self.location = response.headers["Location"]
            text = response.read()
        _, message = GstSdp.SDPMessage.new()
        GstSdp.sdp_message_parse_buffer(text, message)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.bin.emit("set-remote-description", answer, Gst.Promise.new())
        return False

    def incoming(self, _, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        sink = Gst.parse_bin_from_description("rtpvp8depay ! vp8dec ! fakesink name=end signal-handoffs=true", True)
        self.pipeline.add(sink)
        sink.get_by_name("end").connect("handoff", self.count)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def count(self, *_):
        self.frames += 1
        if self.frames >= 10:
            self.loop.quit()

    def run(self):
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)
        whole = self.url.split("/", 3)
        gone = urllib.request.Request("/".join(whole[:3]) + self.location, method="DELETE")
        with urllib.request.urlopen(gone, timeout=60) as response:
            print(f"frames {self.frames} delete {response.status}")


if __name__ == "__main__":
    Gst.init(None)
    Peer(sys.argv[1], sys.argv[2], float(sys.argv[3])).run()
