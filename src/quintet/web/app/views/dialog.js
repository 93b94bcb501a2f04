// A window over the page: the browser's own <dialog>. It keeps the focus inside, gives it back, and closes on Escape.

import { button, div, el } from "../dom.js";

let made = 0;

export class Dialog {
  constructor({ title, name = "", isText = false, onClose }) {
    made += 1;
    const id = `dialog-${made}`;
    this.title = el("h2", { id, tabindex: -1 }, title);
    this.closing = button("", () => this.close(), {
      class: "quiet close-dialog",
      shape: "cross",
      "aria-label": "Close",
    });
    this.head = el("header", { class: "dialog-head" }, this.title, this.closing);
    this.body = el("div", { class: "dialog-body", tabindex: isText ? 0 : null }); // a text is scrolled by keys as well
    this.onClose = onClose;
    const on = { close: () => this.closed(), mousedown: (event) => event.target === this.node && this.close() };
    this.node = el(
      "dialog",
      { class: `dialog ${name}`, "aria-labelledby": id, on },
      div("dialog-inside", this.head, this.body),
    );
  }

  open(first) {
    if (this.node.open) return;
    document.body.append(this.node);
    this.node.showModal();
    (first ?? this.title).focus();
  }

  close() {
    this.node.close();
  }

  closed() {
    this.node.remove();
    this.onClose?.();
  }
}
