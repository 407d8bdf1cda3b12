// Settings: what the server says is true; what the user holds in hand is shown until the server has answered.

const HELD_MS = 600; // a control that was just moved does not jump back to an older answer
const BETWEEN_MS = 10; // the server takes 120 messages a second

/**
 * Events: "change", at most once per animation frame, after anything that is shown may have changed.
 * `fields`: /api/schema's, by name.
 * While nobody is attached, changes are kept here and sent at the next attach.
 */
export class Settings extends EventTarget {
  constructor(fields) {
    super();
    this.fields = new Map(fields.map((field) => [field.name, field]));
    this.truth = Object.fromEntries(fields.map((field) => [field.name, field.default]));
    this.touched = new Set();
    this.held = new Map();
    this.waiting = {};
    this.send = null;
    this.fresh = false;
    this.frame = 0;
    this.sentAt = 0;
  }

  /** The value to show. */
  get(name) {
    return this.held.has(name) ? this.held.get(name).value : this.truth[name];
  }

  /** All values to show, without those the page does not know. */
  all() {
    return Object.fromEntries([...this.fields.keys()].map((name) => [name, this.get(name)]));
  }

  /** The user wants this: shown at once, sent with the next animation frame. */
  change(wanted) {
    for (const [name, value] of Object.entries(wanted)) {
      if (!this.fields.has(name)) continue;
      this.touched.add(name);
      if (!this.send) {
        this.truth[name] = value;
        continue;
      }
      clearTimeout(this.held.get(name)?.timer);
      this.held.set(name, { value, timer: setTimeout(() => this.release(name), HELD_MS) });
      this.waiting[name] = value;
    }
    this.announce();
  }

  /** From now on changes go to `send`. The first accept() after this learns what the user had chosen before. */
  attach(send) {
    this.send = send;
    this.fresh = true;
  }

  /** Nobody listens any more; what is shown stays. */
  detach() {
    this.truth = { ...this.truth, ...this.all() };
    this.drop();
    this.send = null;
  }

  /** The server's answer. */
  accept(settings) {
    const before = this.all();
    for (const name of this.fields.keys()) if (name in settings) this.truth[name] = settings[name];
    if (this.fresh) this.restore(before);
    this.fresh = false;
    this.announce();
  }

  /** The server refused something: show what is true. */
  reject() {
    this.drop();
    this.announce();
  }

  restore(before) {
    const lost = [...this.touched].filter((name) => before[name] !== this.truth[name]);
    this.touched = new Set(this.fields.keys());
    for (const name of lost) this.send({ [name]: before[name] }); // one by one: an id that is gone spoils no other
  }

  /** With the next animation frame: send what waits, and tell all who show it. */
  announce() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.flush();
      this.dispatchEvent(new Event("change"));
    });
  }

  flush() {
    if (!this.send || Object.keys(this.waiting).length === 0) return;
    if (performance.now() - this.sentAt < BETWEEN_MS) {
      this.announce();
      return;
    }
    this.sentAt = performance.now();
    const change = this.waiting;
    this.waiting = {};
    this.send(change);
  }

  release(name) {
    this.held.delete(name);
    this.announce();
  }

  drop() {
    for (const { timer } of this.held.values()) clearTimeout(timer);
    this.held.clear();
    this.waiting = {};
  }
}
