// Where the person writes: Enter sends, Shift+Enter is a new line. What is written but not sent survives a reload.

import { button, div, el, icon, setText, show } from "../dom.js";
import { byteLength, kib, tail } from "../format.js";
import { forBrowser, forTab, readJson } from "../storage.js";
import { AgentChoice } from "./agents.js";

const DRAFTS = "quintet.drafts";
const NOTE_FROM = 0.75;

export class Composer {
  constructor({ onSend, onStop, limits }) {
    Object.assign(this, { onSend, onStop, limits, key: "new" });
    this.agents = new AgentChoice();
    this.text = el("textarea", {
      id: "message",
      rows: 1,
      placeholder: "Write a message, or paste a test report",
      "aria-describedby": "message-note message-help",
      enterkeyhint: "send",
      on: { input: () => this.changed(), keydown: (event) => this.pressed(event) },
    });
    this.note = el("p", { id: "message-note", class: "composer-note", role: "status" });
    this.shorten = button("Keep only the end", () => this.keepEnd(), { class: "soft", hidden: true });
    this.send = el("button", { type: "submit", class: "primary round", "aria-label": "Send" }, icon("send"));
    this.stop = button("", onStop, { class: "round stop-round", hidden: true, "aria-label": "Stop", shape: "stop" });
    const help = el("span", { id: "message-help", class: "help" }, "Enter sends, Shift + Enter makes a new line");
    const label = el("label", { for: "message", class: "visually-hidden" }, "Message");
    const tools = div("composer-tools", this.agents.node, help, this.stop, this.send);
    const submit = (event) => this.submitted(event);
    this.node = el(
      "form",
      { class: "composer", "aria-label": "Message", on: { submit } },
      div("composer-notes", this.note, this.shorten),
      div("composer-box", label, this.text, tools),
    );
  }

  // Another conversation: its own unsent text, and the agent it was last led with.
  show(key, agent) {
    this.key = key;
    this.text.value = readJson(forTab, DRAFTS, {})[key] ?? "";
    if (agent) this.agents.choose(agent);
    this.changed();
  }

  fill(text, agent) {
    this.text.value = text;
    if (agent) this.agents.choose(agent);
    this.changed();
    this.text.focus();
    this.text.setSelectionRange(0, 0);
    this.text.scrollTop = 0;
  }

  setBusy(isBusy) {
    show(this.stop, isBusy);
  }

  focus() {
    this.text.focus({ preventScroll: true });
  }

  pressed(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.node.requestSubmit();
  }

  submitted(event) {
    event.preventDefault();
    const text = this.text.value;
    if (text.trim() === "" || this.excess() > 0) return this.text.focus();
    if (this.onSend(text, this.agents.value) === false) return undefined;
    this.text.value = "";
    return this.changed();
  }

  changed() {
    this.keepDraft();
    this.text.classList.toggle("is-report", this.text.value.split("\n").length > 6);
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight}px`;
    const excess = this.excess();
    this.send.disabled = this.text.value.trim() === "" || excess > 0;
    show(this.shorten, excess > 0);
    this.text.setAttribute("aria-invalid", String(excess > 0));
    this.note.classList.toggle("is-fault", excess > 0);
    setText(this.note, this.noteFor(excess));
  }

  noteFor(excess) {
    const most = this.limits().text_bytes;
    const size = byteLength(this.text.value);
    const tooMuch = `This is ${kib(size)}, and ${kib(most)} is the most that can be sent.`;
    if (excess > 0) return `${tooMuch} The end of a test run says most.`;
    return size > most * NOTE_FROM ? `${kib(size)} of ${kib(most)}` : "";
  }

  // How many bytes too many: of the text itself, and of the frame it travels in (a quotation mark takes two there).
  excess() {
    const { text_bytes: text, frame_bytes: frame } = this.limits();
    const value = this.text.value;
    return Math.max(byteLength(value) - text, byteLength(JSON.stringify(value)) - (frame - 1024));
  }

  keepEnd() {
    let bytes = this.limits().text_bytes;
    while (this.excess() > 0) {
      this.text.value = tail(this.text.value, bytes);
      bytes = Math.floor(bytes * 0.8);
    }
    this.changed();
    this.text.focus();
  }

  keepDraft() {
    const drafts = readJson(forTab, DRAFTS, {});
    if (this.text.value) drafts[this.key] = this.text.value;
    else delete drafts[this.key];
    forTab.set(DRAFTS, JSON.stringify(drafts));
  }

  forget() {
    forTab.remove(DRAFTS);
    forBrowser.remove(AgentChoice.KEY);
  }
}
