// The frame of the page once somebody is signed in: the side, the bar, the place of the conversation. On a phone the side is a drawer.

import { brand, el, icon, setText } from "../dom.js";

export class Frame {
  constructor({ side, conversation, notice, composer, signal }) {
    this.title = el("h1", {}, "New conversation");
    this.menu = el("button", { type: "button", class: "quiet menu", "aria-label": "Conversations", "aria-expanded": "false", "aria-controls": "side", on: { click: () => this.toggle() } }, icon("menu"));
    this.close = el("button", { type: "button", class: "quiet close", "aria-label": "Close", on: { click: () => this.toggle(false) } }, icon("cross"));
    this.side = el("aside", { id: "side", class: "side", "aria-label": "Conversations and account" }, el("div", { class: "side-head" }, brand(), this.close), side);
    this.scrim = el("div", { class: "scrim", on: { click: () => this.toggle(false) } });
    const skip = el("button", { type: "button", class: "skip", on: { click: () => composer.querySelector("textarea").focus() } }, "Skip to the message");
    const bar = el("header", { class: "bar" }, this.menu, this.title);
    this.main = el("main", { class: "main", tabindex: -1 }, bar, conversation, el("div", { class: "dock" }, notice, composer));
    this.node = el("div", { class: "frame" }, skip, this.side, this.scrim, this.main);
    this.narrow = window.matchMedia("(max-width: 860px)");
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.isOpen && this.toggle(false), { signal });
    this.narrow.addEventListener("change", () => this.toggle(false, false), { signal });
    this.toggle(false, false);
  }

  get isOpen() {
    return this.node.classList.contains("is-open");
  }

  // While the drawer is open the rest cannot be reached, and the other way round.
  toggle(open = !this.isOpen, moveFocus = true) {
    const was = this.isOpen;
    this.node.classList.toggle("is-open", open);
    this.side.inert = this.narrow.matches && !open;
    this.main.inert = this.narrow.matches && open;
    this.menu.setAttribute("aria-expanded", String(open));
    if (!moveFocus || was === open) return;
    if (open) this.close.focus();
    else this.menu.focus();
  }

  setTitle(title) {
    setText(this.title, title);
    document.title = `${title} · Quintet`;
  }
}
