// Keyboard: single keys while no control has the focus that needs them, and the help that lists them.

import { byId, el } from "./elements.js";

const OFF = "livelight-keys";

export class Keys {
  /** keys: [{keys: ["ArrowLeft"], press(event)}], perhaps with release(), once (not repeated), and for the help shown, words. */
  constructor(keys) {
    this.keys = keys;
    this.dialog = byId("help");
    this.switch = byId("keys-on");
    this.down = null;
    this.switch.checked = localStorage.getItem(OFF) !== "off";
    this.switch.addEventListener("change", () => localStorage.setItem(OFF, this.switch.checked ? "on" : "off"));
    byId("help-open").addEventListener("click", () => this.help());
    byId("help-close").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close();
    });
    byId("help-keys").append(...keys.filter(({ shown }) => shown).flatMap(({ shown, between = "", words }) => {
      const [first, ...rest] = shown.split(" ").map((key) => el("kbd", {}, key));
      return [el("dt", {}, first, ...rest.flatMap((key) => [` ${between} `, key])), el("dd", {}, words)];
    }));
    document.addEventListener("keydown", (event) => this.pressed(event));
    document.addEventListener("keyup", (event) => this.released(event));
    addEventListener("blur", () => this.letGo());
  }

  help() {
    if (!this.dialog.open) this.dialog.showModal();
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") || !this.switch.checked) return;
    const key = this.keys.find(({ keys }) => keys.includes(event.key.length === 1 ? event.key.toLowerCase() : event.key));
    if (!key || taken(event)) return;
    event.preventDefault();
    if (event.repeat && (key.release || key.once)) return;
    if (key.release) this.down = key;
    key.press(event);
  }

  released(event) {
    if (this.down?.keys.includes(event.key.toLowerCase())) this.letGo();
  }

  letGo() {
    this.down?.release();
    this.down = null;
  }
}

/** Whether the control with the focus needs this key itself. */
function taken(event) {
  const at = event.target;
  if (at.matches?.('input[type="text"], input[type="password"], select, textarea')) return true;
  return event.key.startsWith("Arrow") && !!at.matches?.('input, [role="slider"], [role="tab"]');
}
