// The conversations at the side, newest first, grouped by day; the one on the screen is marked, one at work shows it.

import { button, div, el, icon, setText, show, span } from "../dom.js";
import { day } from "../format.js";
import { addressOf } from "../router.js";

const PAGE = 50;

export class Threads {
  constructor({ model, user, onSignOut, onOlder, onClose }) {
    Object.assign(this, { model, current: null, links: new Map() });
    this.list = el("nav", { class: "threads", "aria-label": "Conversations" });
    this.none = el("p", { class: "note" }, "Your conversations will stand here.");
    this.older = button("Show older ones", onOlder, { class: "quiet older", hidden: true });
    this.state = span("link-state");
    const toNew = { class: "new-link", href: "#/new", on: { click: onClose } };
    const fresh = el("a", toNew, icon("plus"), "New conversation");
    const leave = button("Sign out", onSignOut, { class: "quiet", shape: "leave" });
    const name = el("span", { class: "who-name", title: user.email }, user.name || user.email);
    this.list.addEventListener("click", (event) => event.target.closest("a") && onClose());
    const scroll = div("side-scroll", this.none, this.list, this.older);
    this.node = div("side-inner", fresh, scroll, div("account", div("who", name, this.state), leave));
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

  // Drawn anew as a whole only when the order changes; else each line is brought up to date where it stands.
  update() {
    const threads = this.model.threadsByTime();
    const order = threads.map(({ id, updatedAt }) => `${id} ${day(updatedAt ?? 0, Date.now())}`).join("|");
    if (order !== this.order) this.draw(threads);
    this.order = order;
    for (const thread of threads) this.updateLink(thread);
    show(this.none, threads.length === 0);
    return threads.length >= PAGE;
  }

  draw(threads) {
    const focused = document.activeElement?.dataset?.thread;
    const groups = new Map();
    for (const thread of threads) {
      const name = day(thread.updatedAt ?? 0, Date.now());
      groups.set(name, [...(groups.get(name) ?? []), thread]);
    }
    const itemOf = (thread) => el("li", {}, this.linkOf(thread));
    const drawn = [...groups].flatMap(([name, group]) => [el("h2", {}, name), el("ul", {}, group.map(itemOf))]);
    this.list.replaceChildren(...drawn);
    if (focused) this.links.get(focused)?.focus();
  }

  linkOf({ id }) {
    if (!this.links.has(id)) {
      const inside = [span("thread-title"), span("thread-mark")];
      this.links.set(id, el("a", { href: addressOf(id), "data-thread": id }, inside));
    }
    return this.links.get(id);
  }

  updateLink(thread) {
    const [title, mark] = this.linkOf(thread).children;
    const isCurrent = thread.id === this.current;
    const isBusy = this.model.isBusy(thread.id);
    setText(title, this.model.titleOf(thread) || "Untitled");
    if (isCurrent) this.links.get(thread.id).setAttribute("aria-current", "page");
    else this.links.get(thread.id).removeAttribute("aria-current");
    mark.className = `thread-mark ${isBusy ? "is-busy" : thread.isNew && !isCurrent ? "is-new" : ""}`;
    setText(mark, isBusy ? "working" : thread.isNew && !isCurrent ? "new answer" : "");
  }
}
