// The gallery of environments: cards with panorama and ball, uploads among them.

import { get, request } from "./api.js";
import { byId, capital, el, icon, notice } from "./elements.js";
import { uploader } from "./uploader.js";

export class Gallery {
  /** settings: Settings. turner: shows the chosen panorama. */
  constructor(settings, turner) {
    this.settings = settings;
    this.turner = turner;
    this.place = byId("gallery");
    this.cards = new Map();
    uploader(byId("env-upload"), {
      path: "/api/envs",
      accept: ".hdr,.exr,.jpg,.jpeg,.png,.webp",
      words: "Add your own: HDR, EXR, or any picture",
      added: (entry) => {
        this.add(entry);
        this.settings.change({ env: entry.id });
        notice(`${capital(entry.title)} is in the gallery.`);
      },
    });
    settings.addEventListener("change", () => this.update());
  }

  async load() {
    for (const entry of await get("/api/envs")) this.add(entry);
    this.update();
  }

  add(entry) {
    const at = `/api/envs/${encodeURIComponent(entry.id)}`;
    const input = el("input", { type: "radio", name: "env", value: entry.id });
    input.addEventListener("change", () => this.settings.change({ env: entry.id }));
    const thumb = el("span", { class: "thumb" },
      el("img", { src: `${at}/ball.jpg`, alt: "", loading: "lazy", class: "dotball" }),
      el("img", { src: `${at}/thumbnail.jpg`, alt: "", loading: "lazy" }));
    const name = capital(entry.title);
    const card = el("label", { class: "card", title: name }, thumb, el("span", { class: "name" }, name), input);
    const shell = el("div", { class: "card-shell" }, card);
    if (entry.kind === "upload") {
      card.classList.add("own");
      const remove = el("button", { type: "button", class: "icon delete", "aria-label": `Delete ${name}`, title: "Delete" }, icon("bin"));
      remove.addEventListener("click", () => this.remove(entry, shell));
      shell.append(remove);
    }
    this.cards.set(entry.id, { input, entry, shell });
    this.place.append(shell);
    this.update();
  }

  async remove(entry, shell) {
    try {
      await request("DELETE", `/api/envs/${encodeURIComponent(entry.id)}`);
    } catch (problem) {
      if (problem.status !== 404) {
        notice(problem.message, true);
        return;
      }
    }
    this.cards.delete(entry.id);
    shell.remove();
    if (this.settings.get("env") === entry.id) this.settings.change({ env: this.settings.fields.get("env").default });
    notice(`${capital(entry.title)} was deleted.`);
    this.place.querySelector(":checked")?.focus();
  }

  /** Choose the next or the one before. */
  step(by) {
    const ids = [...this.cards.keys()];
    const at = ids.indexOf(this.settings.get("env"));
    const id = ids[(at + by + ids.length) % ids.length];
    this.settings.change({ env: id });
    this.cards.get(id).shell.scrollIntoView({ block: "nearest" });
    notice(capital(this.cards.get(id).entry.title));
  }

  update() {
    const chosen = this.settings.get("env");
    if (chosen === this.chosen) return;
    const card = this.cards.get(chosen);
    if (!card) return;
    this.chosen = chosen;
    card.input.checked = true;
    this.turner.show(`/api/envs/${encodeURIComponent(chosen)}/thumbnail.jpg`);
  }
}
