// The stage: the relit picture, the curtain before it, mirror, full screen, glow.

import { byId } from "./elements.js";
import { Wipe } from "./wipe.js";

const MIRROR = "livelight-mirror";

export class Stage {
  constructor() {
    this.place = byId("stage");
    this.frame = byId("frame");
    this.after = byId("after");
    this.curtain = byId("curtain");
    this.startedAt = performance.now();
    this.onMirror = () => {};
    this.wipe = new Wipe(this);
    byId("mirror").addEventListener("click", () => this.setMirror(!this.mirrored));
    byId("full").addEventListener("click", () => this.toggleFull());
    for (const name of ["resize", "loadedmetadata"]) this.after.addEventListener(name, () => this.fit());
    this.setMirror(localStorage.getItem(MIRROR) === "yes");
  }

  get mirrored() {
    return this.frame.classList.contains("mirrored");
  }

  /** A new relit stream, and the picture it is made of (a MediaStream, or null). */
  play(stream, local) {
    this.after.srcObject = stream;
    this.wipe.before(local);
    this.whenShown(() => {
      this.startedAt = performance.now();
      this.onPicture();
    });
  }

  /** Nothing plays any more. */
  clear() {
    this.after.srcObject = null;
    this.wipe.before(null);
  }

  /** Cover the picture and say why; `stale`: the last picture shines through. */
  cover(title, text, { busy = false, stale = false } = {}) {
    byId("curtain-title").textContent = title;
    byId("curtain-text").textContent = text;
    this.curtain.hidden = false;
    this.curtain.classList.toggle("busy", busy);
    this.frame.classList.toggle("stale", stale);
  }

  uncover() {
    this.curtain.hidden = true;
    this.frame.classList.remove("stale");
  }

  setMirror(on) {
    this.frame.classList.toggle("mirrored", on);
    byId("mirror").setAttribute("aria-pressed", String(on));
    localStorage.setItem(MIRROR, on ? "yes" : "no");
    this.wipe.move(this.wipe.at);
    this.onMirror(on);
  }

  toggleFull() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.frame.requestFullscreen?.().catch(() => {});
  }

  /** Let the room around the picture take up the light: `light` as Panorama.light() gives it. */
  glow(light) {
    const { style } = this.place;
    const side = this.mirrored ? -1 : 1;
    style.setProperty("--glow", light.rgb.join(" "));
    style.setProperty("--glow-x", `${(50 + 48 * side * light.x).toFixed(1)}%`);
    style.setProperty("--glow-y", `${(45 - 40 * light.y).toFixed(1)}%`);
  }

  /** Set by the page: a first picture has come. */
  onPicture() {}

  fit() {
    const { videoWidth, videoHeight } = this.after;
    if (videoWidth) this.place.style.setProperty("--ar", String(videoWidth / videoHeight));
  }

  whenShown(then) {
    if (this.after.requestVideoFrameCallback) this.after.requestVideoFrameCallback(then);
    else this.after.addEventListener("playing", then, { once: true });
  }
}
