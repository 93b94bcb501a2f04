// Users: found by address, name or id; their role, whether they may come in, and where they are signed in.

import { button, div, el, show } from "../dom.js";
import { ago, count } from "../format.js";
import { confirm, prove } from "../views/confirm.js";
import { row, section } from "./part.js";

const PAGE = 20;
const ROLES = {
  admin: "An administrator sees users, sessions and runs, and may disable and sign out.",
  user: "They lose this page at once.",
};
const DISABLED = "All sessions end within a second, and nobody can sign in with this account. Nothing is deleted.";

export class People {
  constructor(acting, onChanged) {
    Object.assign(this, { acting, onChanged, next: null });
    this.box = el("input", { class: "box", id: "find", type: "search", autocomplete: "off", spellcheck: "false" });
    const find = el("button", { type: "submit", class: "soft" }, "Find");
    const label = div("field", el("label", { for: "find" }, "Address, name or id"), this.box);
    const on = { submit: (event) => (event.preventDefault(), this.load()) };
    this.list = el("ul", { class: "rows" });
    this.none = el("p", { class: "note", hidden: true }, "Nobody was found.");
    this.more = button("Show more", () => this.page(), { class: "soft", hidden: true });
    const form = el("form", { class: "line", role: "search", on }, label, find);
    this.node = section("Users", form, this.none, this.list, this.more);
  }

  async load() {
    this.next = null;
    this.list.replaceChildren();
    await this.page();
    show(this.none, this.list.childElementCount === 0);
  }

  async page() {
    const after = this.next ? `&after=${this.next}` : "";
    const search = encodeURIComponent(this.box.value.trim());
    try {
      const path = `/v1/admin/users?limit=${PAGE}&search=${search}${after}`;
      const { items, next = null } = await this.acting.session.call("GET", path);
      this.next = next;
      this.list.append(...items.map((user) => this.row(user)));
      show(this.more, next !== null);
    } catch (error) {
      this.acting.fail(error);
    }
  }

  row(user) {
    const isOff = Boolean(user.disabled_at);
    const isSelf = user.id === this.acting.session.user.id;
    const badges = [];
    if (user.role === "admin") badges.push(["admin", false]);
    if (isOff) badges.push(["disabled", true]);
    if (isSelf) badges.push(["you", false]);
    const used = user.last_used_at ? `last used ${ago(user.last_used_at)}` : "never used";
    const notes = [user.name, `${count(user.sessions, "session", "sessions")}, ${used} · ${user.id}`];
    const acts = [this.act("Sessions", user, () => this.sessions(user, node))];
    if (!isSelf) acts.push(...this.acts(user, isOff));
    const node = row({ title: user.email, badges, notes, acts, isOff });
    return node;
  }

  acts(user, isOff) {
    const isAdmin = user.role === "admin";
    const role = isAdmin ? "user" : "admin";
    const change = (body) => this.change(user, body);
    return [
      this.act(isAdmin ? "Make a user" : "Make an administrator", user, () => this.appoint(user, role)),
      isOff
        ? this.act("Enable", user, () => change({ disabled: false }))
        : this.act("Disable", user, () => this.disable(user)),
    ];
  }

  act(word, user, work) {
    return button(word, work, { class: "quiet", "aria-label": `${word}: ${user.email}` });
  }

  async appoint(user, role) {
    const title = `${user.email}: ${role}?`;
    const proof = await prove({ title, text: ROLES[role], word: "Change the role" });
    if (proof) await this.change(user, { role, ...proof });
  }

  async disable(user) {
    const title = `Disable ${user.email}?`;
    if (await confirm({ title, text: DISABLED, word: "Disable" })) await this.change(user, { disabled: true });
  }

  async change(user, body) {
    try {
      const path = `/v1/admin/users/${user.id}`;
      const changed = await this.acting.session.call("PATCH", path, body);
      this.replace(user, this.row(changed));
      this.acting.tell(`${user.email} is changed.`);
    } catch (error) {
      return this.acting.fail(error);
    }
    return this.onChanged();
  }

  replace(user, fresh) {
    const isOf = (node) => node.querySelector("strong").firstChild.textContent === user.email;
    [...this.list.children].find(isOf)?.replaceWith(fresh);
    fresh.querySelector("button")?.focus();
  }

  async sessions(user, node) {
    const open = node.querySelector(".row-more");
    if (open) return open.remove();
    const path = `/v1/admin/users/${user.id}/sessions`;
    try {
      const { items } = await this.acting.session.call("GET", path);
      const rows = items.map((item) => this.session(user, node, path, item));
      const all = this.act("Sign out everywhere", user, () => this.end(user, node, path));
      const none = el("p", { class: "note" }, "Signed in nowhere.");
      node.append(div("row-more", ...(items.length ? [el("ul", { class: "rows" }, rows), all] : [none])));
    } catch (error) {
      this.acting.fail(error);
    }
    return undefined;
  }

  session(user, node, path, { id, device, last_used_at: used }) {
    const name = device || "A program";
    const props = { class: "quiet", "aria-label": `Sign out ${name}` };
    const out = button("Sign out", () => this.end(user, node, `${path}/${id}`), props);
    return row({ title: name, notes: [`Last used ${ago(used)}`], acts: [out] });
  }

  async end(user, node, path) {
    try {
      await this.acting.session.call("DELETE", path);
      this.acting.tell(`${user.email}: signed out.`);
    } catch (error) {
      return this.acting.fail(error);
    }
    node.querySelector(".row-more")?.remove();
    await this.sessions(user, node);
    return this.onChanged();
  }
}
