// A message that was written here and is not yet known to be accepted.

import { button, div, el, setText, show } from "../dom.js";
import { written } from "./written.js";

export class Pending {
  constructor(item, actions) {
    this.item = item;
    this.word = el("p", { class: "pending-word" });
    this.sentence = el("p", { class: "outcome-sentence" });
    const again = button("Try again", () => actions.tryAgain(item), { class: "soft", shape: "retry" });
    const edit = button("Take it back", () => actions.takeBack(item), { class: "quiet" });
    this.fault = div("outcome failed", this.sentence, again, edit);
    this.node = el("article", { class: "turn pending" }, div("asked", written(item.text)), this.word, this.fault);
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
