// Before and after in one picture, with a line between them that can be dragged.
// The camera's own pictures are held back as long as the relit ones are on their way, so that both move together.

import { byId } from "./elements.js";
import { clamped } from "./turning.js";

const KEPT = 20; // pictures held back at most
const STEP = 4;

export class Wipe {
  constructor(stage) {
    this.stage = stage;
    this.canvas = byId("before");
    this.line = byId("wipe");
    this.toggle = byId("wipe-toggle");
    this.brush = this.canvas.getContext("2d", { alpha: false });
    this.own = document.createElement("video");
    this.own.muted = true;
    this.own.playsInline = true;
    this.held = [];
    this.delayMs = 100;
    this.at = 50;
    this.on = false;
    this.run = 0;
    this.toggle.addEventListener("click", () => this.set(!this.on));
    this.line.addEventListener("keydown", (event) => this.key(event));
    this.dragging(stage.frame);
    this.before(null);
  }

  /** The camera's own stream, or null where there is none to compare with. */
  before(local) {
    this.own.srcObject = local;
    this.toggle.disabled = !local;
    if (local) this.own.play().catch(() => {}); // ended before it began
    else this.set(false);
    if (local && this.on) this.follow();
  }

  set(on) {
    this.on = on && !!this.own.srcObject;
    for (const part of [this.canvas, this.line, byId("corner-before"), byId("corner-after")]) part.hidden = !this.on;
    this.stage.frame.classList.toggle("wiping", this.on);
    this.toggle.setAttribute("aria-pressed", String(this.on));
    this.run += 1;
    this.drop(0);
    if (this.on) {
      this.move(this.at);
      this.follow();
    }
  }

  /** Put the line at so many percent of the width from the left. */
  move(percent) {
    this.at = clamped(percent, 0, 100);
    this.stage.frame.style.setProperty("--wipe", `${this.at}%`);
    this.line.setAttribute("aria-valuenow", String(Math.round(this.at)));
    this.line.setAttribute("aria-valuetext", `before up to ${Math.round(this.at)} percent of the width`);
  }

  key(event) {
    const to = { ArrowLeft: this.at - STEP, ArrowRight: this.at + STEP, Home: 0, End: 100 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.move(to);
  }

  dragging(frame) {
    let held = false;
    const follow = (event) => {
      const box = frame.getBoundingClientRect();
      this.move(((event.clientX - box.left) / box.width) * 100);
    };
    frame.addEventListener("pointerdown", (event) => {
      if (!this.on || event.button !== 0 || event.target.closest("button")) return;
      held = true;
      frame.setPointerCapture(event.pointerId);
      this.line.focus({ preventScroll: true });
      follow(event);
      event.preventDefault();
    });
    frame.addEventListener("pointermove", (event) => held && follow(event));
    for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, () => { held = false; });
  }

  /** Take up each of the camera's pictures, and show the one that is as old as the relit picture. */
  follow() {
    const run = ++this.run;
    const next = (step) => {
      if (this.own.requestVideoFrameCallback) this.own.requestVideoFrameCallback(step);
      else requestAnimationFrame(step);
    };
    const step = async () => {
      if (run !== this.run) return;
      const taken = this.own.videoWidth ? await createImageBitmap(this.own).catch(() => null) : null;
      if (run !== this.run) {
        taken?.close();
        return;
      }
      if (taken) this.held.push({ taken, at: performance.now() });
      this.draw();
      next(step);
    };
    step();
  }

  draw() {
    const now = performance.now();
    const old = this.held.findLastIndex(({ at }) => now - at >= this.delayMs);
    this.drop(Math.max(old, this.held.length - KEPT, 0));
    const [first] = this.held;
    if (!first) return;
    const { width, height } = first.taken;
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    this.brush.drawImage(first.taken, 0, 0);
  }

  /** Forget the first `count` pictures; all for 0 while the wipe is off. */
  drop(count) {
    const gone = this.on ? this.held.splice(0, count) : this.held.splice(0);
    for (const { taken } of gone) taken.close();
  }
}
