// A message that was written here and is not yet known to be accepted.

import { countDown, stopCounting } from "../countdown.js";
import { button, div, el, setText, show } from "../dom.js";
import { files } from "./files.js";
import { written } from "./written.js";

export class Pending {
  constructor(item, actions) {
    this.item = item;
    this.word = el("p", { class: "pending-word" });
    this.sentence = el("p", { class: "outcome-sentence" });
    const again = button("Try again", () => actions.tryAgain(item), { class: "soft", shape: "retry" });
    const edit = button("Take it back", () => actions.takeBack(item), { class: "quiet" });
    this.fault = div("outcome failed", this.sentence, again, edit);
    this.node = el(
      "article",
      { class: "turn pending" },
      div("asked", written(item.text), files(item.files, actions)),
      this.word,
      this.fault,
    );
    this.update(true);
  }

  update(isConnected) {
    const { error } = this.item;
    show(this.word, !error);
    this.updateWord(isConnected);
    show(this.fault, error !== null);
    setText(this.sentence, error?.message ?? "");
  }

  updateWord(isConnected) {
    const { retryAt, waitsFor } = this.item;
    stopCounting(this.word);
    if (!isConnected) setText(this.word, "Waiting for the connection. This is kept and will be sent.");
    else if (retryAt > Date.now()) {
      const why = waitsFor === "rate_limited" ? "That was a lot at once" : "The server has too much to do";
      countDown(
        this.word,
        retryAt,
        (seconds) => `${why}. This is sent in ${seconds} s.`,
        () => setText(this.word, "Sending…"),
      );
    } else setText(this.word, "Sending…");
  }
}
