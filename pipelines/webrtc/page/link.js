// Link: keeps one Peer alive. Connects, connects again when it is lost, and says in words what is going on.

import { Problem } from "./api.js";
import { Peer } from "./peer.js";

const WAITS_S = [1, 2, 4, 8, 10];

/**
 * Events (detail in event.detail): "state" {state, title, text} where state is idle, busy, live, lost or fault;
 * "picture" a MediaStream; "stats" {fps, latency_ms, dropped, runtime, rttMs, bufferMs}.
 * A subclass says with `path` where to, and with `prepare(connection)` what for.
 */
export class Link extends EventTarget {
  constructor() {
    super();
    this.run = 0;
    this.peer = null;
    this.wake = () => {};
    addEventListener("online", () => this.wake());
  }

  get wanted() {
    return this.state !== undefined && !["idle", "fault"].includes(this.state);
  }

  /** End; `say` the new state. */
  stop(state = "idle", title = "", text = "") {
    this.run += 1;
    this.peer?.close();
    this.peer = null;
    this.wake();
    clearInterval(this.measuring);
    this.say(state, title, text);
  }

  say(state, title, text = "") {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, title, text } }));
  }

  /** Connect, over and over, until stop(). */
  async keep() {
    const run = ++this.run;
    let failures = 0;
    while (run === this.run) {
      try {
        this.say("busy", failures ? "Connecting again" : "Connecting", "");
        const peer = await Peer.open(this.path, (connection) => this.prepare(connection));
        if (run !== this.run) return peer.close();
        this.peer = peer;
        this.measuring = setInterval(() => this.measure(peer), 1000);
        failures = 0;
        await peer.lost;
        clearInterval(this.measuring);
        if (run !== this.run) return;
        peer.close();
        await this.pause(1, "Connection lost", "The server went away or the network broke off.");
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        if (run !== this.run) return;
        if (!passing(problem)) return this.stop("fault", "That did not work", problem.message);
        const wait = problem.retryS ?? WAITS_S[Math.min(failures, WAITS_S.length - 1)];
        failures += 1;
        const title = problem.status === 503 ? "The server is full" : "No connection";
        await this.pause(wait, title, problem.message);
      }
    }
  }

  /** Wait some seconds, counting them down; less when the network comes back. */
  async pause(seconds, title, text) {
    this.lostNow();
    const run = this.run;
    let woken = false;
    for (let left = Math.ceil(seconds); left > 0 && !woken && run === this.run; left--) {
      this.say("lost", title, `${text} Trying again in ${left} s.`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.wake = () => {
          woken = true;
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.wake = () => {};
  }

  /** For subclasses: the connection is gone. */
  lostNow() {}

  /** Called with the picture that comes in. */
  show(event) {
    if (event.track.kind !== "video") return;
    event.receiver.jitterBufferTarget = 0; // the newest picture, not the smoothest
    const stream = event.streams[0] ?? new MediaStream([event.track]);
    this.dispatchEvent(new CustomEvent("picture", { detail: stream }));
  }

  async measure(peer) {
    if (peer.connection.connectionState === "closed") return;
    this.delays = await peer.delays();
  }

  tell(stats) {
    this.dispatchEvent(new CustomEvent("stats", { detail: { ...stats, ...this.delays } }));
  }
}

/** Whether a problem may pass by itself: no answer, full, too many requests, a server that is starting. */
function passing(problem) {
  return problem.status === 0 || problem.status === 429 || problem.status >= 500;
}
