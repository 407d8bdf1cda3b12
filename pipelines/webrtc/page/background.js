// What stands behind the person: a word, a colour, or an uploaded picture.

import { get } from "./api.js";
import { Cards } from "./cards.js";
import { byId, el, notice } from "./elements.js";
import { addField } from "./fields.js";
import { uploader } from "./uploader.js";

const WORDS = [["keep", "As it is"], ["blur", "Blur"], ["env", "Scene"], ["colour", "Colour"]];
const COLOURS = [["#1b1f26", "Slate"], ["#3d3a38", "Warm grey"], ["#c9c3b8", "Paper"], ["#24433a", "Forest"], ["#23365a", "Navy"], ["#5a2a33", "Wine"], ["#00b140", "Green screen"]];

export class Background {
  constructor(settings) {
    this.settings = settings;
    this.colour = COLOURS[0][0];
    this.words = byId("background-words");
    this.colours = byId("background-colours");
    this.shelf = new Cards(byId("background-pictures"), {
      path: "/api/backgrounds",
      name: "background-picture",
      pictures: (at) => [el("img", { src: `${at}/thumbnail.jpg`, alt: "" })],
      chosen: (id) => this.choose(id),
      removed: (entry) => this.removed(entry),
    });
    this.cards = this.shelf.cards;
    for (const [value, title] of WORDS) this.addWord(value, title);
    for (const [value, title] of COLOURS) this.addColour(value, title);
    this.picker = el("input", { type: "color", value: "#88a0b8", "aria-label": "Another colour", title: "Another colour" });
    this.picker.addEventListener("input", () => this.choose(this.picker.value));
    this.colours.append(this.picker);
    const fields = byId("background-fields");
    this.blur = addField(fields, settings, "blur");
    this.view = addField(fields, settings, "fov_deg");
    this.tone = addField(fields, settings, "tone");
    addField(fields, settings, "brighten");
    uploader(byId("background-upload"), {
      path: "/api/backgrounds",
      accept: ".jpg,.jpeg,.png,.webp,.hdr,.exr",
      words: "Add a background picture",
      added: (entry) => {
        this.add(entry);
        this.choose(entry.id);
      },
    });
    settings.addEventListener("change", () => this.update());
  }

  /** Show what the shelf holds; what a saved look brought lies there without having been uploaded here. */
  async load() {
    for (const entry of await get("/api/backgrounds")) if (!this.cards.has(entry.id)) this.shelf.add(entry);
    this.loaded = true;
    this.update();
  }

  choose(background) {
    if (background.startsWith("#")) this.colour = background;
    this.settings.change({ background });
  }

  addWord(value, title) {
    const input = el("input", { type: "radio", name: "background", value });
    input.addEventListener("change", () => this.choose(value === "colour" ? this.colour : value));
    this.words.append(el("label", {}, input, title));
  }

  addColour(value, title) {
    const button = el("button", { type: "button", "aria-label": title, title, "aria-pressed": "false", "data-colour": value });
    button.style.background = value;
    button.addEventListener("click", () => this.choose(value));
    this.colours.append(button);
  }

  add(entry) {
    this.shelf.add(entry);
    this.update();
  }

  removed(entry) {
    if (this.settings.get("background") === entry.id) this.choose("keep");
    this.words.querySelector("input").focus();
  }

  update() {
    const chosen = this.settings.get("background");
    const picture = this.cards.has(chosen) || /^(own|upload)-/.test(chosen);
    if (picture && !this.cards.has(chosen) && this.loaded && this.sought !== chosen) {
      this.sought = chosen;
      this.load().catch((problem) => notice(problem.message, true));
    }
    const word = ["keep", "blur", "env"].includes(chosen) ? chosen : picture ? null : "colour";
    for (const input of this.words.querySelectorAll("input")) input.checked = input.value === word;
    for (const [id, { input }] of this.cards) input.checked = id === chosen;
    this.colours.hidden = word !== "colour";
    for (const button of this.colours.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.colour === chosen));
    }
    if (word === "colour" && /^#[0-9a-f]{6}$/i.test(chosen)) this.picker.value = chosen;
    this.blur.row.hidden = word !== "blur";
    this.view.row.hidden = word !== "env";
    this.tone.row.hidden = !(picture || word === "env"); // the server has nothing to match to otherwise
  }
}
