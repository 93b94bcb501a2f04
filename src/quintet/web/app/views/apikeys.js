// The API keys of the person: made here with the password, shown once, revoked.

import { button, div, el, icon, setText, show, span } from "../dom.js";
import { ago } from "../format.js";
import { wordFor } from "../words.js";
import { copyButton } from "../markup.js";
import { clear, fault, refused, smallField } from "./boxes.js";
import { confirm } from "./confirm.js";
import { inForm, passwordBox } from "./factor.js";

const PATH = "/v1/auth/keys";
const TOLD = "A key lets a program of yours in, in your name. It can change nothing about your account.";
const ONCE = "Copy it now. It is not shown again.";
const LIVES = [
  [7, "a week"],
  [30, "a month"],
  [90, "three months"],
  [365, "a year"],
];
const USUAL = 90;
const SCOPES = { read: "read", write: "write", "read write": "read and write" };

export class ApiKeys {
  constructor(session) {
    this.session = session;
    this.list = el("ul", { class: "devices" });
    this.word = el("p", { class: "note", role: "status" });
    this.name = smallField("key-name", "What the key is for", { maxlength: 100 });
    this.password = passwordBox("key-password");
    this.reads = el("input", { type: "checkbox", id: "key-reads" });
    const lives = LIVES.map(([days, word]) => el("option", { value: days, selected: days === USUAL }, word));
    this.days = el("select", { id: "key-days", class: "box" }, lives);
    this.made = el("code", { class: "secret-key", tabindex: 0, "aria-label": "The new key" });
    const copy = div("line", copyButton(() => this.made.textContent, "Copy the key"));
    this.once = div("own", el("p", {}, ONCE), this.made, copy);
    show(this.once, false);
    const only = div("line", this.reads, el("label", { for: "key-reads" }, "It may only read"));
    const make = button("Make a key", () => this.make(), { class: "soft", shape: "plus" });
    const life = div("field", el("label", { for: "key-days" }, "It is good for"), this.days);
    const form = inForm(() => this.make(), this.name.node, life, only, this.password.node, div("line", make));
    this.node = div("own", el("p", { class: "note" }, TOLD), this.list, form, this.once, this.word);
  }

  async load() {
    try {
      const { items } = await this.session.call("GET", PATH);
      this.list.replaceChildren(...items.map((item) => this.item(item)));
    } catch (error) {
      setText(this.word, wordFor(error));
    }
  }

  item({ id, name, hint, scopes, expires_at: ends, last_used_at: used }) {
    const may = SCOPES[scopes.join(" ")] ?? scopes.join(", ");
    const when = used ? `last used ${ago(used)}` : "never used";
    const until = new Date(ends).toLocaleDateString();
    const told = span("note", `${hint}… · ${may} · ${when} · until ${until}`);
    const words = span("device-words", el("strong", {}, name), told);
    const end = button("Revoke", () => this.revoke(id, name), { class: "quiet", "aria-label": `Revoke ${name}` });
    return el("li", { class: "device" }, icon("device"), words, end);
  }

  async make() {
    clear(this.name, this.password);
    setText(this.word, "");
    show(this.once, false);
    const name = this.name.input.value.trim();
    if (!name) return fault(this.name, "Write what the key is for.");
    const typed = this.password.input.value;
    const scopes = this.reads.checked ? ["read"] : ["read", "write"];
    const body = { name, scopes, days: Number(this.days.value), ...(typed ? { password: typed } : {}) };
    try {
      const { key } = await this.session.call("POST", PATH, body);
      setText(this.made, key);
    } catch (error) {
      if (error.code === "credentials_wrong") return refused(this.password, error);
      return setText(this.word, wordFor(error));
    }
    this.name.input.value = this.password.input.value = "";
    show(this.once, true);
    this.made.focus();
    return this.load();
  }

  async revoke(id, name) {
    const text = `Programs that use ${name} are cut off at once.`;
    if (!(await confirm({ title: "Revoke this key?", text, word: "Revoke" }))) return;
    try {
      await this.session.call("DELETE", `${PATH}/${encodeURIComponent(id)}`);
    } catch (error) {
      if (error.status !== 404) return setText(this.word, wordFor(error));
    }
    show(this.once, false);
    await this.load();
    setText(this.word, `${name} is revoked.`);
  }
}
