// The frame of the page once somebody is signed in: side, bar, conversation. On a phone the side is a drawer.

import { brand, button, div, el, setText, show } from "../dom.js";
import { dropTarget } from "./chips.js";
import { renameBox } from "./rename.js";

const UNSEEN = "visually-hidden";

export class Frame {
  constructor({ threads, conversation, notice, composer, actions, signal }) {
    Object.assign(this, { actions });
    this.title = el("h1", {}, "New conversation");
    const opens = { "aria-label": "Conversations", "aria-expanded": "false", "aria-controls": "side" };
    this.menu = button("", () => this.toggle(), { class: "quiet menu", shape: "menu", ...opens });
    this.close = button("", () => this.toggle(false), { class: "quiet close", shape: "cross", "aria-label": "Close" });
    const head = div("side-head", brand(), this.close);
    const name = "Conversations and account";
    this.side = el("aside", { id: "side", class: "side", "aria-label": name }, head, threads.node);
    this.scrim = el("div", { class: "scrim", on: { click: () => this.toggle(false) } });
    const skip = button("Skip to the message", () => composer.focus(), { class: "skip" });
    this.bar = el("header", { class: "bar" }, this.menu, this.title, this.tools());
    const dock = div("dock", notice.node, composer.node);
    this.main = el("main", { class: "main", tabindex: -1 }, this.bar, conversation.node, dock);
    this.main.append(dropTarget({ node: this.main, onFiles: (list) => composer.attach(list), signal }));
    this.node = div("frame", skip, this.side, this.scrim, this.main);
    this.narrow = window.matchMedia("(max-width: 860px)");
    const escape = (event) => event.key === "Escape" && this.isOpen && this.toggle(false);
    document.addEventListener("keydown", escape, { signal });
    this.narrow.addEventListener("change", () => this.toggle(false, false), { signal });
    this.toggle(false, false);
  }

  tools() {
    const { remove, shortcuts } = this.actions;
    const tool = (word, shape, click) =>
      button("", click, { class: "quiet tool", shape, "aria-label": word, title: word });
    this.renaming = tool("Rename this conversation", "pencil", () => this.rename());
    this.removing = tool("Delete this conversation", "bin", remove);
    return div("bar-tools", this.renaming, this.removing, tool("Keyboard shortcuts", "ask", shortcuts));
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

  // Where the side is a drawer, it must be open before something in it can be reached.
  reachSide() {
    if (this.narrow.matches) this.toggle(true, false);
  }

  // The heading stays for who reads by headings; to the eye the box stands in its place.
  rename() {
    const { classList } = this.title;
    if (this.renaming.hidden || classList.contains(UNSEEN)) return;
    const onEnd = (hadFocus) => {
      box.remove();
      classList.remove(UNSEEN);
      if (hadFocus) this.renaming.focus();
    };
    const box = renameBox(this.title.textContent, { onEnd, onSave: this.actions.rename });
    this.title.after(box);
    classList.add(UNSEEN);
    box.focus();
    box.select();
  }

  setTitle(title, isThread) {
    setText(this.title, title);
    show(this.renaming, isThread);
    show(this.removing, isThread);
  }
}
