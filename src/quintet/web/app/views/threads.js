// The side: a new conversation, the search, the conversations by day, newest first, and who is signed in.
// The one on the screen is marked; one at work, one with a new answer and one that failed show it.

import { button, div, el, icon, setText, show, span } from "../dom.js";
import { count, day } from "../format.js";
import { search } from "../search.js";
import { Row } from "./row.js";

export class Threads {
  constructor({ model, seen, user, actions }) {
    Object.assign(this, { model, seen, actions, current: null, rows: new Map() });
    this.list = el("nav", { class: "threads", "aria-label": "Conversations" });
    this.none = el("p", { class: "note" }, "Your conversations will appear here.");
    this.waiting = el(
      "div",
      { class: "skeleton rows", role: "img", "aria-label": "Loading" },
      [1, 2, 3, 4].map(() => el("i")),
    );
    this.found = el("p", { class: "note found", role: "status" });
    this.older = button("Show older ones", actions.older, { class: "quiet older", hidden: true });
    this.list.addEventListener("click", (event) => event.target.closest("a") && actions.close());
    const scroll = div("side-scroll", this.waiting, this.found, this.none, this.list, this.older);
    const toNew = { class: "new-link", href: "#/new", on: { click: actions.close } };
    const fresh = el("a", toNew, icon("plus"), "New conversation");
    this.node = div("side-inner", fresh, this.searchBox(), scroll, this.account(user));
  }

  searchBox() {
    const on = { input: () => this.update(), keydown: (event) => this.pressed(event) };
    const label = {
      "aria-label": "Search conversations",
      placeholder: "Search",
      autocomplete: "off",
      spellcheck: "false",
    };
    this.query = el("input", { type: "search", class: "search", enterkeyhint: "search", ...label, on });
    return div("search-box", icon("find"), this.query);
  }

  account(user) {
    const { signOut, settings } = this.actions;
    this.state = span("link-state");
    this.name = el("span", { class: "who-name", title: user.email }, user.name || user.email);
    const open = button("", settings, {
      class: "quiet tool",
      shape: "sliders",
      "aria-label": "Settings",
      title: "Settings",
    });
    const out = { class: "quiet tool", shape: "leave", "aria-label": "Sign out", title: "Sign out" };
    const leave = button("", signOut, out);
    return div("account", div("who", this.name, this.state), open, leave);
  }

  setUser(user) {
    setText(this.name, user.name || user.email);
  }

  setOlder(isMore) {
    show(this.older, isMore);
  }

  setState(word, kind) {
    setText(this.state, word);
    this.state.dataset.kind = kind;
  }

  setCurrent(threadId) {
    this.current = threadId;
    this.update();
  }

  pressed(event) {
    if (event.key === "Escape" && this.query.value) {
      event.preventDefault();
      event.stopPropagation();
      this.query.value = "";
      this.update();
    } else if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      const first = this.list.querySelector("a");
      first?.focus();
      if (event.key === "Enter") first?.click();
    }
  }

  update() {
    const query = this.query.value.trim();
    const hits = query ? search(this.model, query) : this.model.threadsByTime().map((thread) => ({ thread }));
    const order = `${query !== ""}|${hits.map(({ thread }) => `${thread.id} ${dayOf(thread)}`).join("|")}`;
    const isWritten = this.list.querySelector(".rename-box") !== null; // moved, a field loses the focus
    if (order !== this.order && !isWritten) {
      this.draw(hits, query !== "");
      this.order = order;
    }
    for (const hit of hits) this.updateRow(hit);
    const isEmpty = this.model.threads.size === 0;
    show(this.waiting, isEmpty && !this.model.isCaughtUp);
    show(this.none, isEmpty && this.model.isCaughtUp && !query);
    show(this.found, query !== "");
    setText(this.found, query ? wordFor(hits.length, this.model.isFromStart) : "");
  }

  // Drawn anew as a whole only when the order changes; else each row is brought up to date where it stands.
  draw(hits, isFlat) {
    const focused = this.list.contains(document.activeElement) ? document.activeElement : null;
    const groups = new Map();
    for (const { thread } of hits) {
      const name = isFlat ? "" : dayOf(thread);
      groups.set(name, [...(groups.get(name) ?? []), this.rowOf(thread).node]);
    }
    const drawn = [...groups].flatMap(([name, rows]) => [name && el("h2", {}, name), el("ul", {}, rows)]);
    this.list.replaceChildren(...drawn.filter(Boolean));
    if (focused?.isConnected) focused.focus();
  }

  rowOf({ id }) {
    if (!this.rows.has(id)) this.rows.set(id, new Row({ id, actions: this.actions }));
    return this.rows.get(id);
  }

  updateRow({ thread, excerpt }) {
    const isCurrent = thread.id === this.current;
    const isNew = !isCurrent && this.seen.isUnread(thread);
    const mark = this.model.isBusy(thread.id) ? "busy" : isNew ? thread.endedAs : "";
    this.rowOf(thread).update({ title: this.model.titleOf(thread) || "Untitled", isCurrent, mark, excerpt });
  }
}

function dayOf(thread) {
  return day(thread.updatedAt ?? 0, Date.now());
}

function wordFor(hits, isWhole) {
  const where = isWhole ? "" : " Of older ones only the titles that are loaded here were looked at.";
  return hits === 0 ? `Nothing found.${where}` : `${count(hits, "conversation", "conversations")} found.${where}`;
}
