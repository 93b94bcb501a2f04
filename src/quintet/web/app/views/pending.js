// A message that was written here and is not yet known to be accepted.

import { el, icon, setText, show } from "../dom.js";
import { written } from "./written.js";

export class Pending {
  constructor(item, actions) {
    this.item = item;
    this.word = el("p", { class: "pending-word" });
    this.again = el("button", { type: "button", class: "soft", on: { click: () => actions.tryAgain(item) } }, icon("retry"), "Try again");
    this.edit = el("button", { type: "button", class: "quiet", on: { click: () => actions.takeBack(item) } }, "Take it back");
    this.fault = el("div", { class: "outcome failed" }, (this.sentence = el("p", { class: "outcome-sentence" })), this.again, this.edit);
    this.node = el("article", { class: "turn pending" }, el("div", { class: "asked" }, written(item.text)), this.word, this.fault);
    this.update(true);
  }

  update(isConnected) {
    const { error } = this.item;
    show(this.word, !error);
    setText(this.word, isConnected ? "Sending…" : "Waiting for the connection. This is kept and will be sent.");
    show(this.fault, error !== null);
    setText(this.sentence, error?.message ?? "");
  }
}
