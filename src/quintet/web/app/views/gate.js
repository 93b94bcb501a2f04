// One screen before the door: a title, fields, one thing to do, and ways elsewhere. Rules are said before they are
// broken, a refusal stands at its field, what has to wait is counted down. Screens fill in `check`, `send`, `fieldOf`.

import { brand, div, el, setText, show } from "../dom.js";
import { countDown, stopCounting } from "../countdown.js";
import { wordFor } from "../words.js";
import { five } from "./five.js";

const BROKEN = "Something went wrong in this window. Reload it and try again.";

export class Gate {
  constructor({ title, word, reason = "", inside = [], ways = [], fields = [] }) {
    this.fields = fields;
    this.word = word;
    this.mustWait = false;
    this.title = el("h1", { tabindex: -1 }, title);
    this.reason = el("p", { class: "form-reason", role: "status" });
    this.fault = el("p", { class: "form-fault", role: "alert" });
    this.submit = el("button", { type: "submit", class: "primary wide" }, word);
    this.tell(reason);
    const on = { submit: (event) => this.submitted(event) };
    const all = [brand(), this.title, this.reason, ...inside, this.fault, this.submit, ...ways];
    this.form = el("form", { class: "gate-form", novalidate: true, on }, all);
    this.node = div("gate", five(), el("main", { class: "gate-main" }, this.form));
    document.title = `${word} · Quintet`;
  }

  focus() {
    (this.fields[0]?.input ?? this.title).focus();
  }

  // What the person should know here: not a fault.
  tell(sentence) {
    setText(this.reason, sentence);
    show(this.reason, sentence !== "");
  }

  // Another thing to do on the same screen.
  become(title, word) {
    this.word = word;
    this.mustWait = false;
    stopCounting(this.submit);
    setText(this.title, title);
    setText(this.submit, word);
    this.clearFaults();
    document.title = `${word} · Quintet`;
  }

  // The fault of a field as [field, sentence], or nothing.
  check() {
    return null;
  }

  fieldOf() {
    return null;
  }

  async submitted(event) {
    event.preventDefault();
    if (this.submit.disabled || this.mustWait) return;
    this.clearFaults();
    const wrong = this.check();
    if (wrong) return this.faultAt(...wrong);
    this.submit.disabled = true;
    this.node.classList.add("is-busy");
    try {
      await this.send();
    } catch (error) {
      this.refuse(error);
    } finally {
      this.submit.disabled = false;
      this.node.classList.remove("is-busy");
    }
  }

  refuse(error) {
    const where = this.fieldOf(error.code);
    if (where) return this.faultAt(where, wordFor(error));
    if (error.retryAfter) return this.wait(error);
    setText(this.fault, error.code ? wordFor(error) : BROKEN);
    return this.fields.at(-1)?.input.focus();
  }

  // Counted down, and said once by a screen reader: the seconds are no part of the alert.
  wait(error) {
    this.mustWait = true;
    setText(this.fault, error.message);
    const sentence = (seconds) => `${this.word} in ${seconds} s`;
    countDown(this.submit, Date.now() + error.retryAfter * 1000, sentence, () => {
      this.mustWait = false;
      setText(this.submit, this.word);
      setText(this.fault, "");
    });
  }

  faultAt(where, sentence) {
    setText(where.fault, sentence);
    where.input.setAttribute("aria-invalid", "true");
    where.input.focus();
  }

  clearFaults() {
    setText(this.fault, "");
    for (const where of this.fields) {
      setText(where.fault, "");
      where.input.removeAttribute("aria-invalid");
    }
  }
}
