// Frames per second, latency and the rest, in one line under the picture.

import { byId, el } from "./elements.js";

const ENGINES = { openvino: "OpenVINO", onnxruntime: "ONNX Runtime", torch: "PyTorch", tensorrt: "TensorRT", "tensorrt-rtx": "TensorRT-RTX" };

export class Figures {
  constructor() {
    this.place = byId("figures");
  }

  /** What is unknown is left out. */
  show({ fps, latency_ms: latency, dropped, runtime, rttMs, bufferMs }) {
    const known = (value) => Number.isFinite(value);
    const parts = [];
    if (known(fps)) parts.push(part(fps.toFixed(0), "fps", "Relit pictures a second"));
    if (known(latency)) {
      const whole = latency + (rttMs ?? 0) + (bufferMs ?? 0);
      const split = `Relighting ${Math.round(latency)} ms, network ${Math.round(rttMs ?? 0)} ms, waiting at the browser ${Math.round(bufferMs ?? 0)} ms; without camera, encoding and screen`;
      parts.push(part(whole.toFixed(0), "ms", split));
    }
    if (known(dropped)) parts.push(part(String(dropped), "dropped", "Pictures that were replaced by newer ones before they could be relit", true));
    if (runtime) parts.push(part(ENGINES[runtime] ?? runtime, "", "Inference engine", true));
    this.place.replaceChildren(...parts);
  }

  clear() {
    this.place.replaceChildren(el("span", { class: "faint" }, "No picture yet"));
  }
}

function part(value, unit, title, extra = false) {
  return el("span", { title, class: extra ? "extra" : "" }, el("b", {}, value), unit ? ` ${unit}` : "");
}
