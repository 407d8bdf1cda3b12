// The page: makes the pieces and joins them.

import { get, onTokenWanted, Problem } from "./api.js";
import { Background } from "./background.js";
import { byId, notice, tabs } from "./elements.js";
import { addField } from "./fields.js";
import { Figures } from "./figures.js";
import { Gallery } from "./gallery.js";
import { Hold } from "./hold.js";
import { Keys } from "./keys.js";
import { Output } from "./output.js";
import { OwnCamera } from "./own_camera.js";
import { Presets } from "./presets.js";
import { Settings } from "./settings.js";
import { SharedCamera } from "./shared_camera.js";
import { Stage } from "./stage.js";
import { Turner } from "./turner.js";
import { clamped } from "./turning.js";

const SHOWN_ELSEWHERE = ["env", "background", "blur", "tone", "brighten", "fov_deg", "rotate", "pitch", "rotate_period_s", "exposure", "intensity"];
const STOPS = 0.25;

onTokenWanted(askedToken);
tabs(document.querySelector(".tabs"));
build(await schema());

/** The settings' fields; asked for again and again while the server does not answer. */
async function schema() {
  for (;;) {
    try {
      return (await get("/api/schema")).fields;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      byId("curtain-text").textContent = problem.message;
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

function build(fields) {
  const settings = new Settings(fields);
  const stage = new Stage();
  const turner = new Turner(settings, (light) => stage.glow(light), () => stage.startedAt);
  stage.onMirror = (on) => turner.setMirrored(on);
  turner.setMirrored(stage.mirrored);
  const own = new OwnCamera(settings);
  const shared = new SharedCamera(settings);
  const gallery = new Gallery(settings, turner);
  const background = new Background(settings);
  const presets = new Presets(settings);
  const hold = new Hold(own);
  const output = new Output(settings, (running) => offer(running, own, shared));
  addFields(settings, turner);
  for (const link of [own, shared]) follow(link, stage, hold);
  buttons(own, shared, stage);
  new Keys(shortcuts({ settings, stage, turner, gallery, presets, hold, own, shared }));
  for (const part of [gallery, background, presets, output]) {
    part.load().catch((problem) => notice(problem.message, true));
  }
}

function addFields(settings, turner) {
  const turn = byId("turn-fields");
  const rotate = addField(turn, settings, "rotate", turner);
  addField(turn, settings, "pitch");
  const period = addField(turn, settings, "rotate_period_s");
  const look = byId("look-fields");
  addField(look, settings, "intensity");
  const exposure = addField(look, settings, "exposure");
  const keep = byId("keep-scale");
  keep.addEventListener("change", () => settings.change({ exposure: keep.checked ? "keep" : 0 }));
  const update = () => {
    keep.checked = settings.get("exposure") === "keep";
    exposure.enable(!keep.checked);
    period.row.hidden = !byId("auto-turn").checked;
  };
  settings.addEventListener("change", update);
  turner.onTurned = () => rotate.update();
  update();
  for (const name of settings.fields.keys()) {
    if (!SHOWN_ELSEWHERE.includes(name)) addField(byId("other-fields"), settings, name);
  }
}

/** What the stage and the head of the page show of a link. */
function follow(link, stage, hold) {
  const figures = new Figures();
  link.addEventListener("picture", ({ detail }) => {
    stage.play(detail, link.local);
    stage.onPicture = () => {
      link.say("live", "Live");
      link.join?.().catch((problem) => notice(problem.message, true));
    };
  });
  link.addEventListener("stats", ({ detail }) => {
    figures.show(detail);
    const ways = (detail.latency_ms ?? 0) + (detail.rttMs ?? 0) + (detail.bufferMs ?? 0);
    stage.wipe.delayMs = ways + 35; // and the encoders' share
  });
  link.addEventListener("state", ({ detail: { state, title, text } }) => {
    byId("state").dataset.state = { live: "live", busy: "busy", lost: "busy", fault: "fault" }[state] ?? "idle";
    byId("state-text").textContent = title || "Not started";
    const running = ["busy", "lost", "live"].includes(state);
    byId("stop").hidden = !running;
    byId("start").parentElement.hidden = running;
    hold.enable(state === "live" && link.local !== null);
    if (state === "live") return stage.uncover();
    figures.clear();
    if (!running) stage.clear();
    stage.cover(title || "Sit in another light", text || (running ? "" : welcome()), { busy: running, stale: running });
    if (!running) byId("start").querySelector("span").textContent = state === "fault" ? "Try again" : "Start camera";
    return undefined;
  });
}

function welcome() {
  return `Your camera's picture is relit by the server at ${location.host} and comes back. Nothing is stored.`;
}

function buttons(own, shared, stage) {
  byId("curtain-text").textContent = welcome();
  const device = byId("device");
  byId("start").addEventListener("click", () => {
    shared.stop();
    own.start(device.value);
  });
  byId("watch").addEventListener("click", () => watch(own, shared));
  byId("stop").addEventListener("click", () => stopAll(own, shared));
  device.addEventListener("change", () => own.start(device.value));
  own.addEventListener("picture", () => listDevices(own, device));
  addEventListener("pagehide", () => stopAll(own, shared));
  stage.after.addEventListener("contextmenu", (event) => event.preventDefault());
}

function watch(own, shared) {
  own.stop();
  shared.start();
}

function stopAll(own, shared) {
  for (const link of [own, shared]) if (link.wanted) link.stop();
}

/** A running virtual camera may be watched; while nothing else is on the stage it is put there. */
function offer(running, own, shared) {
  byId("watch").hidden = !running;
  if (running && !own.wanted && !shared.wanted) watch(own, shared);
  if (!running && shared.wanted) shared.stop();
}

/** The cameras by name, once the browser tells them: with leave to use one. */
async function listDevices(own, select) {
  const cameras = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
  const current = own.local?.getVideoTracks()[0]?.getSettings().deviceId ?? "";
  select.replaceChildren(...cameras.map(({ deviceId, label }, n) => new Option(label || `Camera ${n + 1}`, deviceId, false, deviceId === current)));
  byId("device-label").hidden = cameras.length < 2;
}

function shortcuts({ settings, stage, turner, gallery, presets, hold, own, shared }) {
  const expose = (by) => {
    const now = Number(settings.get("exposure"));
    settings.change({ exposure: clamped((Number.isFinite(now) ? now : 0) + by, -3, 3) });
  };
  const turn = (right, up) => (event) => turner.nudge((event.shiftKey ? 1 : 5) * right, (event.shiftKey ? 1 : 5) * up);
  const startOrStop = () => (own.wanted || shared.wanted ? stopAll(own, shared) : byId("start").click());
  const digits = [..."123456789"];
  return [
    { keys: ["ArrowLeft"], shown: "← →", words: "Move the light to the side; with Shift, in small steps", press: turn(-1, 0) },
    { keys: ["ArrowRight"], press: turn(1, 0) },
    { keys: ["ArrowUp"], shown: "↑ ↓", words: "Move the light up or down", press: turn(0, 1) },
    { keys: ["ArrowDown"], press: turn(0, -1) },
    { keys: ["0"], shown: "0", words: "Straighten the light", press: () => turner.straighten() },
    { keys: ["n"], shown: "N P", words: "Next environment, previous environment", press: () => gallery.step(1) },
    { keys: ["p"], press: () => gallery.step(-1) },
    { keys: ["+", "="], shown: "+ −", words: "Brighter, darker", press: () => expose(STOPS) },
    { keys: ["-"], press: () => expose(-STOPS) },
    { keys: ["b"], shown: "B", words: "Hold to see the picture as it came", press: () => hold.press(), release: () => hold.release() },
    { keys: ["w"], shown: "W", words: "Line between before and after", press: () => byId("wipe-toggle").click(), once: true },
    { keys: ["m"], shown: "M", words: "Mirror", press: () => byId("mirror").click(), once: true },
    { keys: ["f"], shown: "F", words: "Full screen", press: () => stage.toggleFull(), once: true },
    { keys: ["s"], shown: "S", words: "Start or stop", press: startOrStop, once: true },
    { keys: digits, shown: "1 9", between: "to", words: "Take up a saved look", press: (event) => presets.useNth(Number(event.key) - 1), once: true },
    { keys: ["?"], shown: "?", words: "This help", press: () => byId("help-open").click(), once: true },
  ];
}

function askedToken() {
  const dialog = byId("gate");
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.showModal();
  return new Promise((resolve) => {
    byId("gate-form").addEventListener("submit", () => resolve(byId("gate-token").value), { once: true });
  });
}
