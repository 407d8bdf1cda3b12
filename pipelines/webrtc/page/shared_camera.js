// The virtual camera that the server runs: watched by WHEP, changed by HTTP.

import { request } from "./api.js";
import { Link } from "./link.js";
import { notice } from "./elements.js";

export class SharedCamera extends Link {
  constructor(settings) {
    super();
    this.settings = settings;
    this.local = null; // its own picture stays at the server: there is nothing to compare with
    this.path = "/whep/camera";
    this.waiting = {};
    this.busy = false;
  }

  async start() {
    this.stop("busy", "Connecting", "");
    await this.keep();
  }

  stop(state, title, text) {
    super.stop(state, title, text);
    this.lostNow();
  }

  prepare(connection) {
    connection.addTransceiver("video", { direction: "recvonly" });
    connection.addEventListener("track", (event) => this.show(event));
  }

  /** Settings of the camera, and from now on every change to it. */
  async join() {
    const { data } = await request("GET", "/api/camera");
    this.settings.attach((change) => this.send(change));
    this.settings.accept(data.settings);
  }

  lostNow() {
    this.settings.detach();
  }

  async measure(peer) {
    await super.measure(peer);
    const frames = [...(await peer.connection.getStats()).values()].find((report) => report.type === "inbound-rtp");
    const state = await request("GET", "/api/camera").catch(() => null);
    this.tell({ fps: frames?.framesPerSecond, ...state?.data.stats });
  }

  /** One request at a time; what is wanted meanwhile goes with the next. */
  async send(change) {
    Object.assign(this.waiting, change);
    if (this.busy) return;
    this.busy = true;
    while (Object.keys(this.waiting).length) {
      const body = this.waiting;
      this.waiting = {};
      try {
        this.settings.accept((await request("PATCH", "/api/camera/settings", { body })).data);
      } catch (problem) {
        this.settings.reject();
        notice(problem.message, true);
      }
    }
    this.busy = false;
  }
}
