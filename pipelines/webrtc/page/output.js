// The virtual camera: which camera the server takes, where the picture goes, start and stop.

import { Problem, request } from "./api.js";
import { byId, el, notice } from "./elements.js";

const ASK_MS = 4000;

export class Output {
  /** settings: sent along when the camera starts. changed(running): after each change of that. */
  constructor(settings, changed) {
    this.settings = settings;
    this.changed = changed;
    this.running = null;
    this.place = byId("output");
    this.camera = el("select", { id: "output-camera" });
    this.sink = el("select", { id: "output-sink" });
    this.button = el("button", { type: "button", class: "primary" });
    this.button.addEventListener("click", () => this.toggle());
    this.word = el("p", { class: "boxed", role: "status" });
    this.told = el("p", { class: "hint", role: "status" }); // what the running camera complains of
    this.error = el("p", { class: "error", role: "alert" });
  }

  /** Ask the server; without a virtual camera there the pane says so. */
  async load() {
    try {
      const { data } = await request("GET", "/api/camera");
      this.draw(data);
      setTimeout(() => this.load(), ASK_MS);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (problem.status === 404) this.absent();
      else setTimeout(() => this.load(), ASK_MS);
    }
  }

  absent() {
    this.place.replaceChildren(el("p", { class: "boxed" }, "This server runs no camera of its own. On the computer with the camera, ", el("b", {}, "livelight run"), " makes a virtual camera for video calls."));
    this.changed(false);
  }

  draw({ cameras = [], sinks = [], running = false, camera, sink, problem = "" }) {
    if (!this.button.isConnected) this.build();
    options(this.camera, cameras, camera);
    options(this.sink, sinks, sink);
    this.camera.disabled = this.sink.disabled = running;
    this.button.textContent = running ? "Stop the virtual camera" : "Start the virtual camera";
    this.button.className = running ? "" : "primary";
    this.button.disabled = !running && (cameras.length === 0 || sinks.length === 0);
    this.told.textContent = problem;
    this.word.textContent = words(running, cameras, sinks, this.sink.selectedOptions[0]?.textContent);
    if (running !== this.running) {
      this.running = running;
      this.changed(running);
    }
  }

  build() {
    this.place.replaceChildren(el("div", { class: "stack" },
      el("p", { class: "hint" }, "For Zoom, Meet, Teams and all other programs: a camera of this computer goes in, a virtual camera with the relit picture comes out."),
      el("label", {}, el("span", {}, "Camera"), this.camera),
      el("label", {}, el("span", {}, "Virtual camera"), this.sink),
      this.button, this.word, this.told, this.error));
  }

  async toggle() {
    const start = !this.running;
    this.error.textContent = "";
    this.button.disabled = true;
    try {
      const body = { camera: this.camera.value, sink: this.sink.value, running: start };
      const look = this.settings.all();
      const { data } = await request("POST", "/api/camera", { body });
      if (start) await request("PATCH", "/api/camera/settings", { body: look });
      this.draw(data?.cameras ? data : (await request("GET", "/api/camera")).data);
      notice(start ? "The virtual camera runs." : "The virtual camera has stopped.");
    } catch (problem) {
      this.error.textContent = problem.message;
      this.button.disabled = false;
    }
  }
}

function words(running, cameras, sinks, sink) {
  if (running) return `Runs. In your video call, choose ${sink ?? "the virtual camera"} as the camera.`;
  if (cameras.length === 0) return "No camera is plugged into the server's computer.";
  if (sinks.length === 0) return "No virtual camera is set up on the server's computer; livelight doctor says how.";
  return "Not running. It starts with the light that you see now.";
}

/** Fill a select once; entries are texts or {id, title}. */
function options(select, entries, chosen) {
  const pairs = entries.map((entry) => (typeof entry === "string" ? [entry, entry] : [String(entry.id ?? entry.name), entry.title ?? entry.name ?? entry.id]));
  const key = JSON.stringify(pairs);
  if (select.dataset.key !== key) {
    const kept = select.value;
    select.dataset.key = key;
    select.replaceChildren(...pairs.map(([value, title]) => el("option", { value }, title)));
    if (pairs.some(([value]) => value === kept)) select.value = kept;
  }
  if (chosen && document.activeElement !== select) select.value = chosen;
}
