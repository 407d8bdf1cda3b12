// One WebRTC connection to the server: offer and answer over HTTP, and word when it is lost.

import { Problem, request } from "./api.js";

const GATHER_MS = 2500;
const CONNECT_MS = 20000;
const DISCONNECTED_MS = 4000;

let iceServers = []; // those that the server named; none are asked otherwise

export class Peer {
  /** path: where the offer goes. prepare(connection): adds tracks and channels. */
  static async open(path, prepare) {
    for (;;) {
      const known = iceServers.length;
      const peer = new Peer();
      try {
        await peer.connect(path, prepare);
      } catch (problem) {
        peer.close();
        throw problem;
      }
      if (iceServers.length === known) return peer;
      peer.close(); // the first answer told of ICE servers: once more, with them
    }
  }

  constructor() {
    this.connection = new RTCPeerConnection({ iceServers });
    this.location = null;
    /** Resolves when the connection is no more. */
    this.lost = new Promise((resolve) => { this.lose = resolve; });
    this.connection.addEventListener("connectionstatechange", () => this.watch());
  }

  async connect(path, prepare) {
    const { connection } = this;
    prepare(connection, this);
    await connection.setLocalDescription();
    await gathered(connection);
    const { data, response } = await request("POST", path, { body: connection.localDescription.sdp, type: "application/sdp" });
    this.location = response.headers.get("Location");
    if (iceServers.length === 0) iceServers = namedServers(response.headers.get("Link") ?? "");
    await connection.setRemoteDescription({ type: "answer", sdp: data });
    await this.connected();
  }

  connected() {
    const { connection } = this;
    return new Promise((resolve, reject) => {
      const fail = () => reject(new Problem("No way for the picture to the server; a firewall may be between."));
      const timer = setTimeout(fail, CONNECT_MS);
      const check = () => {
        if (connection.connectionState === "connected") resolve();
        else if (["failed", "closed"].includes(connection.connectionState)) fail();
        else return;
        clearTimeout(timer);
        connection.removeEventListener("connectionstatechange", check);
      };
      connection.addEventListener("connectionstatechange", check);
      check();
    });
  }

  /** End it here and at the server. */
  close() {
    clearTimeout(this.patience);
    this.connection.close();
    this.lose();
    const { location } = this;
    this.location = null;
    if (location) request("DELETE", location, { keepalive: true }).catch(() => {}); // gone is gone
  }

  /** {rttMs, bufferMs} of the picture that comes back; null where unknown. */
  async delays() {
    const found = { rttMs: null, bufferMs: null };
    for (const report of (await this.connection.getStats()).values()) {
      if (report.type === "candidate-pair" && report.nominated && report.currentRoundTripTime !== undefined) {
        found.rttMs = report.currentRoundTripTime * 1000;
      }
      if (report.type === "inbound-rtp" && report.kind === "video" && report.jitterBufferEmittedCount) {
        const [delay, count] = [report.jitterBufferDelay, report.jitterBufferEmittedCount];
        const [oldDelay, oldCount] = this.buffered ?? [0, 0];
        if (count > oldCount) found.bufferMs = ((delay - oldDelay) / (count - oldCount)) * 1000;
        this.buffered = [delay, count];
      }
    }
    return found;
  }

  watch() {
    clearTimeout(this.patience);
    const state = this.connection.connectionState;
    if (state === "failed" || state === "closed") this.lose();
    if (state === "disconnected") this.patience = setTimeout(() => this.lose(), DISCONNECTED_MS);
  }
}

/** Until all candidates are in the offer: the server wants them at once. */
function gathered(connection) {
  return new Promise((resolve) => {
    const check = () => {
      if (connection.iceGatheringState === "complete") resolve();
    };
    connection.addEventListener("icegatheringstatechange", check);
    setTimeout(resolve, GATHER_MS);
    check();
  });
}

/** Link: <turn:host>; rel="ice-server"; username="u"; credential="p" (RFC 9725, 4.6) */
function namedServers(links) {
  const servers = [];
  for (const [, urls, rest] of links.matchAll(/<([^>]+)>((?:;[^,<]*)*)/g)) {
    if (!/rel="?ice-server/.test(rest)) continue;
    const value = (name) => rest.match(new RegExp(`${name}="([^"]*)"`))?.[1];
    servers.push({ urls, username: value("username"), credential: value("credential") });
  }
  return servers;
}
