// The light ball and the panorama strip: drag or arrow keys turn the light.

import { Panorama, ballLens, stripLens } from "./panorama.js";
import { asText, clamped, parsedTurn, turnedAt, wrapped } from "./turning.js";

const STEP_DEG = 5;
const FINE_DEG = 1;
const AUTO_PERIOD_S = 12;

export class Turner {
  /** settings: Settings. glow: called with Panorama.light() after each drawing. startedAt(): ms of the first picture. */
  constructor(settings, glow, startedAt) {
    this.settings = settings;
    this.glow = glow;
    this.startedAt = startedAt;
    this.panorama = null;
    this.shown = null;
    this.mirrored = false;
    this.ball = document.getElementById("ball");
    this.strip = document.getElementById("strip");
    this.lenses = [ballLens(this.ball), stripLens(this.strip)];
    this.auto = document.getElementById("auto-turn");
    this.reset = document.getElementById("turn-reset");
    // Light that stands on the camera's side, as on the ball's front, moves against the panorama's far side.
    this.grab(this.ball, -1, 140);
    this.grab(this.strip, 1, 360);
    this.auto.addEventListener("change", () => this.setAuto(this.auto.checked));
    this.reset.addEventListener("click", () => this.straighten());
    settings.addEventListener("change", () => this.update());
    this.update();
  }

  /** Show another panorama. */
  async show(url) {
    this.wanted = url;
    const panorama = await Panorama.load(url).catch(() => null);
    if (!panorama || this.wanted !== url) return;
    this.panorama = panorama;
    this.shown = null;
    this.update();
  }

  /** The turn now, degrees in [-180, 180). */
  get degrees() {
    const turn = parsedTurn(this.settings.get("rotate"));
    const seconds = (performance.now() - this.startedAt()) / 1000;
    return wrapped(turnedAt(turn, this.settings.get("rotate_period_s"), seconds));
  }

  /** Move the light as seen in the picture: right and up, degrees. */
  nudge(right, up) {
    this.settings.change({
      rotate: asText(this.degrees - right * this.side),
      pitch: clamped(Math.round((this.settings.get("pitch") - up) * 10) / 10, -90, 90),
    });
  }

  straighten() {
    this.settings.change({ rotate: "0", pitch: 0 });
  }

  setAuto(on) {
    if (!on) {
      this.settings.change({ rotate: asText(this.degrees) });
      return;
    }
    const period = this.settings.get("rotate_period_s") || AUTO_PERIOD_S;
    const phase = ((performance.now() - this.startedAt()) / 1000 / period) % 1;
    const from = Math.round(wrapped(this.degrees - 360 * phase));
    this.settings.change({ rotate: `${from}..${from + 360}` });
  }

  setMirrored(mirrored) {
    this.mirrored = mirrored;
    for (const canvas of [this.ball, this.strip]) canvas.classList.toggle("flipped", mirrored);
    this.update();
  }

  /** Set by the page: the turn has been drawn. */
  onTurned() {}

  get side() {
    return this.mirrored ? -1 : 1;
  }

  grab(canvas, sign, degreesAcross) {
    let last = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      last = { x: event.clientX, y: event.clientY, rotate: this.degrees, pitch: this.settings.get("pitch") };
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      const scale = degreesAcross / canvas.clientWidth;
      const rotate = last.rotate + sign * this.side * (event.clientX - last.x) * scale;
      const pitch = last.pitch - sign * (event.clientY - last.y) * scale;
      this.settings.change({ rotate: asText(rotate), pitch: clamped(Math.round(pitch * 10) / 10, -90, 90) });
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { last = null; });
    canvas.addEventListener("dblclick", () => this.straighten());
    canvas.addEventListener("keydown", (event) => this.key(event, -sign));
  }

  key(event, sign) {
    const step = event.shiftKey ? FINE_DEG : STEP_DEG;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (event.key === "Home") this.straighten();
    else if (event.key in moves) this.nudge(...moves[event.key].map((value) => sign * value));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  update() {
    const moving = parsedTurn(this.settings.get("rotate")).moving;
    this.auto.checked = moving;
    cancelAnimationFrame(this.timer);
    this.paint();
    this.onTurned();
    if (moving) this.timer = requestAnimationFrame(() => this.update());
  }

  paint() {
    const [degrees, pitch] = [this.degrees, this.settings.get("pitch")];
    const key = `${degrees.toFixed(1)} ${pitch} ${this.mirrored}`;
    if (key === this.shown) return;
    this.shown = key;
    const words = spoken(degrees, pitch);
    for (const canvas of [this.ball, this.strip]) {
      canvas.setAttribute("aria-valuenow", String(Math.round(degrees)));
      canvas.setAttribute("aria-valuetext", words);
    }
    this.reset.disabled = Math.round(degrees) === 0 && Math.round(pitch) === 0;
    if (!this.panorama) return;
    for (const lens of this.lenses) this.panorama.draw(lens, degrees, pitch);
    this.glow(this.panorama.light(degrees, pitch));
  }
}

/** "turned 30 degrees right, tilted 10 degrees up" */
function spoken(degrees, pitch) {
  const part = (value, verb, plus, minus) => {
    const rounded = Math.round(value);
    return rounded === 0 ? "" : `${verb} ${Math.abs(rounded)} degrees ${rounded > 0 ? plus : minus}`;
  };
  const said = [part(degrees, "turned", "right", "left"), part(pitch, "tilted", "up", "down")].filter(Boolean);
  return said.join(", ") || "straight";
}
