// One conversation in the list at the side: its link, its mark, and what can be done to it.

import { button, div, el, setText, show, span } from "../dom.js";
import { addressOf } from "../router.js";
import { renameBox } from "./rename.js";

const MARKS = {
  busy: ["is-busy", "working"],
  completed: ["is-new", "new answer"],
  failed: ["is-failed", "failed"],
  cancelled: ["is-stopped", "stopped"],
};

export class Row {
  constructor({ id, actions }) {
    Object.assign(this, { id, actions });
    this.title = span("thread-title");
    this.mark = span("thread-mark");
    this.excerpt = span("thread-excerpt");
    const words = span("thread-words", this.title, this.excerpt);
    this.link = el("a", { href: addressOf(id), "data-thread": id }, words, this.mark);
    this.renaming = button("", () => this.rename(), { class: "quiet tool", shape: "pencil" });
    const remove = () => actions.remove(id);
    this.removing = button("", remove, { class: "quiet tool", shape: "bin" });
    this.tools = div("row-tools", this.renaming, this.removing);
    this.node = el("li", { class: "thread-row" }, this.link, this.tools);
  }

  update({ title, isCurrent, mark, excerpt }) {
    setText(this.title, title);
    if (isCurrent) this.link.setAttribute("aria-current", "page");
    else this.link.removeAttribute("aria-current");
    const [name, word] = MARKS[mark] ?? ["", ""];
    this.mark.className = `thread-mark ${name}`;
    setText(this.mark, word);
    this.renaming.setAttribute("aria-label", `Rename ${title}`);
    this.removing.setAttribute("aria-label", `Delete ${title}`);
    show(this.excerpt, Boolean(excerpt));
    if (excerpt) this.excerpt.replaceChildren(excerpt.before, el("mark", {}, excerpt.hit), excerpt.after);
  }

  rename() {
    const onEnd = (hadFocus) => {
      this.node.replaceChildren(this.link, this.tools);
      if (hadFocus) this.link.focus();
      this.actions.refresh();
    };
    const box = renameBox(this.title.textContent, { onEnd, onSave: (title) => this.actions.rename(this.id, title) });
    this.node.replaceChildren(box);
    box.focus();
    box.select();
  }
}
