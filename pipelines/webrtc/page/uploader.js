// A place for files: click, drop or paste; progress; errors in words.

import { upload } from "./api.js";
import { el, icon } from "./elements.js";

const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Put an upload control into `place`. path: where to POST. accept: file types. words: the invitation.
 * added: called with each new entry. Returns send(file), for files that come another way.
 */
export function uploader(place, { path, accept, words, added }) {
  const input = el("input", { type: "file", accept, class: "sr", multiple: true });
  const label = el("label", { class: "drop" }, icon("plus"), el("span", {}, words), input);
  const bar = el("progress", { max: 1, value: 0, "aria-label": "Upload", hidden: true });
  const error = el("p", { class: "error", role: "alert" });
  place.append(el("div", { class: "uploader" }, label, bar, error));

  const tell = (fault) => error.append(...(error.hasChildNodes() ? [el("br")] : []), fault);
  const send = async (file, first = true) => {
    if (first) error.replaceChildren();
    const refused = refusal(file, accept);
    if (refused) {
      tell(refused);
      return;
    }
    bar.hidden = false;
    bar.removeAttribute("value");
    try {
      const title = file.name.replace(/\.[^.]*$/, "");
      // 100 %: sent, and now being decoded: the bar moves without a figure.
      const progress = (part) => (part < 1 ? (bar.value = part) : bar.removeAttribute("value"));
      added(await upload(`${path}?title=${encodeURIComponent(title)}`, file, progress));
    } catch (problem) {
      tell(`${file.name}: ${problem.message}`);
    } finally {
      bar.hidden = true;
    }
  };
  const sendAll = async (files) => {
    for (const [n, file] of files.entries()) await send(file, n === 0);
  };
  input.addEventListener("change", async () => {
    const files = [...input.files];
    input.value = "";
    await sendAll(files);
  });
  dropTarget(label, sendAll);
  return send;
}

function dropTarget(label, sendAll) {
  label.addEventListener("dragover", (event) => {
    event.preventDefault();
    label.classList.add("over");
  });
  label.addEventListener("dragleave", () => label.classList.remove("over"));
  label.addEventListener("drop", (event) => {
    event.preventDefault();
    label.classList.remove("over");
    sendAll([...event.dataTransfer.files]);
  });
}

/** Why a file is not even sent, or "". */
function refusal(file, accept) {
  const kinds = accept.split(",");
  if (!kinds.some((kind) => file.name.toLowerCase().endsWith(kind))) {
    return `${file.name}: expected one of ${kinds.join(" ")}.`;
  }
  if (file.size > MAX_BYTES) return `${file.name} has ${Math.ceil(file.size / 2 ** 20)} MB; at most 64 are taken.`;
  return file.size === 0 ? `${file.name} is empty.` : "";
}
