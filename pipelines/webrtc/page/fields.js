// Sliders and texts, one for each field of /api/schema.

import { capital, el } from "./elements.js";
import { asText, clamped, parsedTurn } from "./turning.js";

const percent = { show: (value) => `${Math.round(value * 100)} %`, step: 0.01 };
const degrees = (step) => ({ show: (value) => `${Math.round(value)}°`, step });

// How a field looks; what is not here is shown as the schema describes it.
const LOOKS = {
  rotate: { title: "Turn", min: -180, max: 180, pair: true, ...degrees(1) },
  pitch: { title: "Tilt", pair: true, ...degrees(1) },
  exposure: { title: "Exposure", min: -3, max: 3, step: 0.05, show: (value) => `${value > 0 ? "+" : ""}${Number(value).toFixed(2)} EV` },
  intensity: { title: "Strength", ...percent },
  tone: { title: "Match to the background", ...percent },
  brighten: { title: "Keep the person bright", ...percent },
  blur: { title: "Blur", min: 1, max: 60, step: 1, show: (value) => `${Math.round(value)} px` },
  fov_deg: { title: "Width of the view", min: 20, max: 120, ...degrees(1) },
  rotate_period_s: { title: "One turn takes", min: 2, max: 60, step: 1, show: (value) => `${Math.round(value)} s` },
};

/** Put a control for the field `name` into `place`; returns {row, enable(on)}. turner: for rotate alone. */
export function addField(place, settings, name, turner = null) {
  const field = settings.fields.get(name);
  if (!field) return null;
  const look = LOOKS[name] ?? {};
  const title = look.title ?? capital(name.replaceAll("_", " "));
  if (field.kind === "number" || name === "rotate") return slider(place, settings, field, title, look, turner);
  return entry(place, settings, field, title);
}

function slider(place, settings, field, title, look, turner) {
  const { name } = field;
  const [min, max, step] = [look.min ?? field.min ?? 0, look.max ?? field.max ?? 1, look.step ?? 0.01];
  const show = look.show ?? ((value) => String(Math.round(value * 100) / 100));
  const put = (value) => settings.change({ [name]: name === "rotate" ? asText(value) : value });
  const input = el("input", { type: "range", id: `field-${name}`, min, max, step, title: field.label });
  const reset = el("button", { type: "button", class: "reset", onclick: () => settings.change({ [name]: field.default }) });
  input.addEventListener("input", () => put(input.valueAsNumber));
  input.addEventListener("dblclick", () => settings.change({ [name]: field.default }));
  const row = el("div", { class: look.pair ? "field pair" : "field" }, el("label", { for: input.id }, title), reset, input);
  place.append(row);
  const update = () => {
    const raw = settings.get(name);
    const value = name === "rotate" && turner ? turner.degrees : Number(raw);
    const usable = Number.isFinite(value);
    const text = usable ? show(value) : "own";
    if (usable) input.value = String(value);
    const part = (v) => `${clamped(((v - min) / (max - min)) * 100, 0, 100)}%`;
    const origin = min < 0 && max > 0 ? 0 : min;
    const at = usable ? clamped(value, min, max) : origin;
    input.style.setProperty("--from", part(Math.min(origin, at)));
    input.style.setProperty("--fill", part(Math.max(origin, at)));
    input.setAttribute("aria-valuetext", text);
    reset.textContent = text;
    const changed = name === "rotate" ? parsedTurn(raw).moving || Number(raw) !== 0 : raw !== field.default;
    reset.classList.toggle("changed", changed);
    reset.title = changed ? `Back to ${show(Number(field.default))}` : "";
    reset.setAttribute("aria-label", `${title}: ${text}${changed ? `, set back to ${show(Number(field.default))}` : ""}`);
    reset.disabled = !changed;
  };
  settings.addEventListener("change", update);
  update();
  return { row, update, enable: (on) => { input.disabled = !on; } };
}

function entry(place, settings, field, title) {
  const { name } = field;
  const attributes = { id: `field-${name}`, title: field.label };
  const input = field.choices
    ? el("select", attributes, ...field.choices.map((word) => el("option", { value: word }, word)))
    : el("input", { type: "text", ...attributes });
  input.addEventListener("change", () => settings.change({ [name]: input.value }));
  const row = el("div", { class: "field" }, el("label", { for: input.id }, title), input);
  place.append(row);
  const update = () => {
    if (document.activeElement !== input) input.value = String(settings.get(name));
  };
  settings.addEventListener("change", update);
  update();
  return { row, update, enable: (on) => { input.disabled = !on; } };
}
