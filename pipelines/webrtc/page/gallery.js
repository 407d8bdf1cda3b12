// The gallery of environments: cards with panorama and ball, uploads among them.

import { get } from "./api.js";
import { Cards } from "./cards.js";
import { byId, capital, el, notice } from "./elements.js";
import { uploader } from "./uploader.js";

export class Gallery {
  /** settings: Settings. turner: shows the chosen panorama. */
  constructor(settings, turner) {
    this.settings = settings;
    this.turner = turner;
    this.shelf = new Cards(byId("gallery"), {
      path: "/api/envs",
      name: "env",
      pictures: (at) => [
        el("img", { src: `${at}/ball.jpg`, alt: "", loading: "lazy", class: "dotball" }),
        el("img", { src: `${at}/thumbnail.jpg`, alt: "", loading: "lazy" }),
      ],
      chosen: (env) => settings.change({ env }),
      removed: (entry) => this.removed(entry),
    });
    this.cards = this.shelf.cards;
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

  /** Show what the shelf holds; what a saved look brought lies there without having been uploaded here. */
  async load() {
    for (const entry of await get("/api/envs")) if (!this.cards.has(entry.id)) this.shelf.add(entry);
    this.loaded = true;
    this.update();
  }

  add(entry) {
    this.shelf.add(entry);
    this.update();
  }

  removed(entry) {
    if (this.settings.get("env") === entry.id) this.settings.change({ env: this.settings.fields.get("env").default });
    notice(`${capital(entry.title)} was deleted.`);
    byId("gallery").querySelector(":checked")?.focus();
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
    if (!card) {
      if (this.loaded && this.sought !== chosen) {
        this.sought = chosen;
        this.load().catch((problem) => notice(problem.message, true));
      }
      return;
    }
    this.chosen = chosen;
    card.input.checked = true;
    this.turner.show(`${this.shelf.at(card.entry)}/thumbnail.jpg`);
  }
}
