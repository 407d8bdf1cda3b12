// The button (and key) that shows the picture as it came for as long as it is held.

import { byId } from "./elements.js";

export class Hold {
  /** own: the OwnCamera whose server is asked to pass the picture through. */
  constructor(own) {
    this.own = own;
    this.button = byId("bypass");
    this.held = false;
    this.button.addEventListener("pointerdown", (event) => {
      if (event.button === 0) this.press();
    });
    for (const end of ["pointerup", "pointerleave", "pointercancel", "blur"]) this.button.addEventListener(end, () => this.release());
    this.button.addEventListener("keydown", (event) => {
      if ([" ", "Enter"].includes(event.key) && !event.repeat) this.press();
    });
    this.button.addEventListener("keyup", () => this.release());
    this.button.addEventListener("contextmenu", (event) => event.preventDefault());
    this.enable(false);
  }

  enable(on) {
    if (!on) this.release();
    this.button.disabled = !on;
  }

  press() {
    if (!this.button.disabled) this.show(true);
  }

  release() {
    if (this.held) this.show(false);
  }

  show(held) {
    this.held = held;
    this.own.bypass(held);
    this.button.setAttribute("aria-pressed", String(held));
    byId("frame").classList.toggle("bypassed", held);
  }
}
