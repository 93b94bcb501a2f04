// One line over the composer: the connection lost and found, and what went wrong outside of any run.

import { button, el, setText, show, span } from "../dom.js";
import { CONNECTION_WORDS } from "../words.js";

const SLOW_MS = 700; // a connection that comes back faster than this was never lost to the person
const FOUND_MS = 4000;
const CAN_HURRY = new Set(["lost", "busy"]);

export class Notice {
  constructor({ onHurry, speaker }) {
    Object.assign(this, { speaker, isLost: false });
    this.word = span("notice-word");
    this.button = button("Try now", onHurry, { class: "quiet" });
    const dot = el("i", { class: "notice-dot", "aria-hidden": "true" });
    this.node = el("div", { class: "notice", hidden: true }, dot, this.word, this.button);
  }

  connection(state) {
    if (["lost", "draining", "busy"].includes(state.kind)) this.lose(navigator.onLine ? state.kind : "offline");
    else if (state.kind === "stopped") this.put(state.word, "stopped", true);
    else if (state.kind === "live") this.find();
  }

  lose(kind) {
    clearTimeout(this.leaving);
    if (this.isLost) return this.put(CONNECTION_WORDS[kind], kind, CAN_HURRY.has(kind));
    this.coming ??= setTimeout(() => this.put(CONNECTION_WORDS[kind], kind, CAN_HURRY.has(kind)), SLOW_MS);
    return undefined;
  }

  find() {
    clearTimeout(this.coming);
    this.coming = null;
    if (!this.isLost) return;
    this.put(CONNECTION_WORDS.found, "found", false);
    this.isLost = false;
    this.leaving = setTimeout(() => show(this.node, false), FOUND_MS);
  }

  tell(word) {
    this.put(word, "fault", false);
    this.isLost = false;
    this.leaving = setTimeout(() => show(this.node, false), 2 * FOUND_MS);
  }

  // Something that went well, outside of any run.
  say(word) {
    this.put(word, "found", false);
    this.isLost = false;
    this.leaving = setTimeout(() => show(this.node, false), FOUND_MS);
  }

  put(word, kind, canHurry) {
    clearTimeout(this.leaving);
    this.isLost = kind !== "found";
    if (this.word.textContent !== word || this.node.hidden) this.speaker.say(word);
    setText(this.word, word);
    this.node.dataset.kind = kind;
    show(this.button, canHurry);
    show(this.node, true);
  }
}
