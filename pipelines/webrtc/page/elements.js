// Making elements, and the few pieces that several parts of the page use.

/** el("button", {type: "button", class: "icon", onclick: f, "aria-label": "x"}, child, "text"): an element. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** One of the page's icons (the symbols in index.html). */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

export const byId = (id) => document.getElementById(id);

/** "golden hour" -> "Golden hour" */
export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const SHOWN_MS = 7000;

/** A sentence at the foot of the page; a problem is read out at once. The same sentence is not shown twice at a time. */
export function notice(sentence, problem = false) {
  const place = byId(problem ? "notice-alert" : "notice-status");
  const twin = [...place.children].find((child) => child.dataset.sentence === sentence);
  twin?.remove();
  while (place.children.length > 2) place.firstChild.remove();
  const close = el("button", { type: "button", class: "icon", "aria-label": "Dismiss", onclick: () => box.remove() }, icon("close"));
  const box = el("div", { class: problem ? "notice bad" : "notice", "data-sentence": sentence }, el("span", {}, sentence), close);
  place.append(box);
  setTimeout(() => box.remove(), problem ? 2 * SHOWN_MS : SHOWN_MS);
}

/** Tabs as the ARIA pattern has them: arrows move, Home and End too. */
export function tabs(list) {
  const all = [...list.querySelectorAll('[role="tab"]')];
  const select = (tab, focus) => {
    for (const other of all) {
      const chosen = other === tab;
      other.setAttribute("aria-selected", String(chosen));
      other.tabIndex = chosen ? 0 : -1;
      byId(other.getAttribute("aria-controls")).hidden = !chosen;
    }
    if (focus) tab.focus();
  };
  list.addEventListener("click", (event) => {
    const tab = event.target.closest('[role="tab"]');
    if (tab) select(tab, false);
  });
  list.addEventListener("keydown", (event) => {
    const at = all.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    select(all[(to + all.length) % all.length], true);
  });
}
