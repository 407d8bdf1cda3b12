// The cards of a shelf of the gallery: one to choose, uploads with a button that deletes them.

import { request } from "./api.js";
import { capital, el, icon, notice } from "./elements.js";

export class Cards {
  /** path: of the shelf. name: of the radio buttons. pictures(at): what a card shows. chosen(id), removed(entry): told. */
  constructor(place, { path, name, pictures, chosen, removed }) {
    Object.assign(this, { place, path, name, pictures, chosen, removed });
    this.cards = new Map();
  }

  /** Show one more exhibit. */
  add(entry) {
    const title = capital(entry.title);
    const input = el("input", { type: "radio", name: this.name, value: entry.id });
    input.addEventListener("change", () => this.chosen(entry.id));
    const thumb = el("span", { class: "thumb" }, ...this.pictures(this.at(entry)));
    const card = el("label", { class: "card", title }, thumb, el("span", { class: "name" }, title), input);
    const shell = el("div", { class: "card-shell" }, card);
    if (entry.kind === "upload") {
      card.classList.add("own");
      const remove = el("button", { type: "button", class: "icon delete", "aria-label": `Delete ${title}`, title: "Delete" }, icon("bin"));
      remove.addEventListener("click", () => this.remove(entry));
      shell.append(remove);
    }
    this.cards.set(entry.id, { input, entry, shell });
    this.place.append(shell);
  }

  /** The address of an exhibit. */
  at({ id }) {
    return `${this.path}/${encodeURIComponent(id)}`;
  }

  async remove(entry) {
    try {
      await request("DELETE", this.at(entry));
    } catch (problem) {
      if (problem.status !== 404) {
        notice(problem.message, true);
        return;
      }
    }
    this.cards.get(entry.id)?.shell.remove();
    this.cards.delete(entry.id);
    this.removed(entry);
  }
}
