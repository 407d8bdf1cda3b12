// The browser's camera: asked for in words, to the server and back relit, settings on the data channel.

import { Link } from "./link.js";
import { notice } from "./elements.js";

const MAX_BITRATE = 4_000_000;

const REFUSALS = {
  NotAllowedError: ["The camera is blocked", "Allow the camera for this page (the camera sign in the address bar), then start again."],
  NotFoundError: ["No camera found", "Plug one in, or switch it on, then start again."],
  NotReadableError: ["The camera is busy", "Another program holds it. Close that program, then start again."],
  OverconstrainedError: ["That camera is gone", "Start again with another one."],
};

export class OwnCamera extends Link {
  /** settings: Settings. Property `local`: the camera's own MediaStream, or null. */
  constructor(settings) {
    super();
    this.settings = settings;
    this.local = null;
    this.channel = null;
    this.path = "/api/sessions";
  }

  /** Ask for the camera and connect. device: a deviceId, or "" for the browser's choice. */
  async start(device = "") {
    this.stop("busy", "Waiting for the camera", "Your browser may ask whether this page may use it.");
    const run = this.run;
    try {
      const local = await openedCamera(device);
      if (run !== this.run) {
        release(local);
        return;
      }
      this.local = local;
    } catch (error) {
      if (run !== this.run) return;
      const [title, text] = REFUSALS[error.name] ?? ["The camera does not start", error.message];
      this.stop("fault", title, text);
      return;
    }
    const [track] = this.local.getVideoTracks();
    track.addEventListener("ended", () => this.stop("fault", "The camera is gone", "It was unplugged or switched off. Plug it in and start again."));
    await this.keep();
  }

  stop(state, title, text) {
    super.stop(state, title, text);
    if (this.local) release(this.local);
    this.local = null;
    this.lostNow();
  }

  /** The picture as it came (true) or relit (false). */
  bypass(on) {
    this.write({ bypass: on });
  }

  prepare(connection) {
    const [track] = this.local.getVideoTracks();
    track.contentHint = "motion";
    const { sender } = connection.addTransceiver(track, { direction: "sendrecv", streams: [this.local], sendEncodings: [{ maxBitrate: MAX_BITRATE }] });
    steady(sender);
    connection.addEventListener("track", (event) => this.show(event));
    this.listen(connection.createDataChannel("control"));
  }

  listen(channel) {
    this.channel = channel;
    channel.addEventListener("open", () => this.settings.attach((change) => this.write({ change })));
    channel.addEventListener("close", () => {
      if (channel === this.channel) this.peer?.lose();
    });
    channel.addEventListener("message", (event) => {
      const message = JSON.parse(event.data);
      if (message.settings) this.settings.accept(message.settings);
      if (message.stats) this.tell(message.stats);
      if (message.problem) {
        this.settings.reject();
        notice(message.problem.charAt(0).toUpperCase() + message.problem.slice(1), true);
      }
    });
  }

  write(message) {
    if (this.channel?.readyState === "open") this.channel.send(JSON.stringify(message));
  }

  lostNow() {
    this.channel = null;
    this.settings.detach();
  }
}

/** The camera's stream, 720p where it can. Rejects with a DOMException. */
async function openedCamera(device) {
  if (!navigator.mediaDevices) {
    throw new DOMException("Browsers give the camera to pages of https:// or localhost only. Open this page so.");
  }
  const video = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
  if (device) video.deviceId = { exact: device };
  return navigator.mediaDevices.getUserMedia({ video, audio: false });
}

/** Keep the size of the picture when bits are short: another size would begin the relighting anew. */
function steady(sender) {
  const parameters = sender.getParameters();
  parameters.degradationPreference = "maintain-resolution";
  sender.setParameters(parameters).catch(() => {}); // older browsers know no such preference
}

function release(stream) {
  for (const track of stream.getTracks()) track.stop();
}
