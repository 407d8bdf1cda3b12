// Saved looks: all settings under a name, kept by the server.

import { get, request } from "./api.js";
import { byId, el, icon, notice } from "./elements.js";

export class Presets {
  constructor(settings) {
    this.settings = settings;
    this.names = [];
    this.list = byId("presets");
    this.input = byId("preset-name");
    byId("preset-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.save(this.input.value.trim());
    });
  }

  async load() {
    this.names = await get("/api/presets");
    this.draw();
  }

  /** Take up a saved look. */
  async use(name) {
    try {
      this.settings.change(await get(path(name)));
      notice(`${name} it is.`);
    } catch (problem) {
      notice(problem.message, true);
    }
  }

  /** The nth look, counted from 0, if there is one. */
  useNth(n) {
    if (this.names[n]) this.use(this.names[n]);
  }

  async save(name) {
    if (!name) return;
    try {
      await request("PUT", path(name), { body: this.settings.all() });
      this.input.value = "";
      await this.load();
      notice(`Saved as ${name}.`);
    } catch (problem) {
      notice(problem.message, true);
    }
  }

  async remove(name) {
    try {
      await request("DELETE", path(name));
    } catch (problem) {
      if (problem.status !== 404) notice(problem.message, true);
    }
    await this.load();
    this.input.focus();
  }

  draw() {
    const rows = this.names.map((name, n) =>
      el("li", {},
        el("button", { type: "button", onclick: () => this.use(name) }, name, n < 9 ? el("span", { class: "key", "aria-hidden": "true" }, String(n + 1)) : null),
        el("button", { type: "button", class: "icon", "aria-label": `Delete ${name}`, title: "Delete", onclick: () => this.remove(name) }, icon("bin"))));
    this.list.replaceChildren(...(rows.length ? rows : [el("li", { class: "hint" }, "None yet.")]));
  }
}

const path = (name) => `/api/presets/${encodeURIComponent(name)}`;
