// Where the person is signed in: each session with its device, and a way to end it, or all others at once.

import { button, div, el, icon, setText, show, span } from "../dom.js";
import { ago, count } from "../format.js";
import { wordFor } from "../words.js";

export class Devices {
  constructor(session) {
    this.session = session;
    this.list = el(
      "ul",
      { class: "devices", "aria-busy": "true" },
      el("li", { class: "skeleton rows" }, el("i"), el("i")),
    );
    this.word = el("p", { class: "note", role: "status" });
    this.others = button("Sign out everywhere else", () => this.endOthers(), { class: "soft", hidden: true });
    this.node = div("devices-box", this.list, this.word, this.others);
  }

  async load() {
    try {
      const { items } = await this.session.call("GET", "/v1/auth/sessions");
      this.list.removeAttribute("aria-busy");
      const here = items.filter((item) => item.current);
      const others = items.filter((item) => !item.current);
      this.list.replaceChildren(...[...here, ...others].map((item) => this.item(item)));
      show(this.others, items.length > 1);
      return items.length;
    } catch (error) {
      this.list.replaceChildren();
      setText(this.word, wordFor(error));
      return 0;
    }
  }

  item({ id, device, last_used_at: used, current }) {
    const name = device || "A program";
    const when = current ? "This device" : `Last used ${ago(used)}`;
    const words = span("device-words", el("strong", {}, name), span("note", when));
    const end = button("Sign out", () => this.end(id, name), { class: "quiet", "aria-label": `Sign out ${name}` });
    return el("li", { class: "device" }, icon("device"), words, current ? null : end);
  }

  async end(id, name) {
    await this.change(`/v1/auth/sessions/${encodeURIComponent(id)}`, () => `${name} is signed out.`);
  }

  async endOthers() {
    const before = this.list.childElementCount - 1;
    const word = () => `${count(before, "other device is", "other devices are")} signed out.`;
    await this.change("/v1/auth/sessions?others=true", word);
  }

  async change(path, word) {
    try {
      await this.session.call("DELETE", path);
    } catch (error) {
      if (error.status !== 404) return setText(this.word, wordFor(error));
    }
    await this.load();
    setText(this.word, word());
    return this.list.querySelector("button")?.focus();
  }
}
