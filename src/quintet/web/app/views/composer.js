// Where the person writes: the text, its files, and who is asked. What is written but not sent survives a reload.

import { button, div, el, icon, setText, show } from "../dom.js";
import { byteLength, kib, tail } from "../format.js";
import { accepts, PASTE_BYTES } from "../media.js";
import { onPrefs, pref } from "../prefs.js";
import { forBrowser, forTab, readJson } from "../storage.js";
import { Tray } from "../tray.js";
import { AgentChoice } from "./agents.js";
import { Chips, unfit } from "./chips.js";

const DRAFTS = "quintet.drafts";
const NOTE_FROM = 0.75;
const HELP = {
  enter: "Enter sends, Shift + Enter makes a new line",
  ctrl: "Ctrl + Enter sends, Enter makes a new line",
};

export class Composer {
  constructor({ session, onSend, onStop, limits, signal }) {
    Object.assign(this, { session, onSend, onStop, limits, key: "new", trays: new Map() });
    claimDrafts(session.user.id);
    this.agents = new AgentChoice(() => this.changed());
    this.chips = new Chips({ onKeepText: (item) => this.keepText(item) });
    this.tray = this.trayOf("new");
    const on = {
      input: () => this.changed(),
      keydown: (event) => this.pressed(event),
      paste: (event) => this.pasted(event),
    };
    this.text = el("textarea", {
      id: "message",
      rows: 1,
      placeholder: "Write a message, or paste a test report",
      "aria-describedby": "message-note message-help",
      on,
    });
    this.note = el("p", { id: "message-note", class: "composer-note", role: "status" });
    this.shorten = button("Keep only the end", () => this.keepEnd(), { class: "soft", hidden: true });
    this.send = el("button", { type: "submit", class: "primary round", "aria-label": "Send" }, icon("send"));
    this.stop = button("", onStop, { class: "round stop-round", hidden: true, "aria-label": "Stop", shape: "stop" });
    this.help = el("span", { id: "message-help", class: "help" });
    this.node = this.form();
    onPrefs(() => this.prefer(), signal);
  }

  form() {
    const label = el("label", { for: "message", class: "visually-hidden" }, "Message");
    const pick = el("input", { type: "file", multiple: true, hidden: true, tabindex: -1, "aria-label": "Files" });
    pick.addEventListener("change", () => {
      this.attach([...pick.files]);
      pick.value = "";
    });
    this.clip = button("", () => pick.click(), { class: "quiet round", shape: "clip", "aria-label": "Attach files" });
    const tools = div("composer-tools", this.clip, pick, this.agents.node, this.help, this.stop, this.send);
    return el(
      "form",
      { class: "composer", "aria-label": "Message", on: { submit: (event) => this.submitted(event) } },
      div("composer-notes", this.note, this.shorten),
      div("composer-box", this.chips.node, label, this.text, tools),
    );
  }

  prefer() {
    setText(this.help, HELP[pref("send")]);
    this.text.setAttribute("enterkeyhint", pref("send") === "enter" ? "send" : "enter");
  }

  // Another conversation: its own unsent text and files, and the agent it was last led with.
  show(key, agent) {
    this.key = key;
    this.tray = this.trayOf(key);
    this.text.value = draftOf(key).text ?? "";
    if (agent) this.agents.choose(agent);
    this.changed();
  }

  // The draft became a conversation: what is being written moves with it.
  become(key) {
    this.trays.set(key, this.tray);
    this.trays.delete(this.key);
    keepDraft(this.key, {});
    this.key = key;
    this.keep();
  }

  trayOf(key) {
    if (!this.trays.has(key)) {
      const tray = new Tray({
        session: this.session,
        kept: draftOf(key).files,
        onChange: () => this.trayChanged(tray),
      });
      this.trays.set(key, tray);
    }
    return this.trays.get(key);
  }

  trayChanged(tray) {
    if (tray === this.tray) this.changed();
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

  connected() {
    for (const tray of this.trays.values()) tray.retryLost();
  }

  attach(list) {
    for (const file of list) this.tray.add(file);
    if (list.length) this.focus();
  }

  // Files are attached. So is a long text, where the agent takes texts as files: one click makes it text again.
  pasted(event) {
    const list = [...event.clipboardData.files];
    const text = event.clipboardData.getData("text/plain");
    if (list.length && !text) {
      event.preventDefault();
      this.attach(list);
    } else if (byteLength(text) > PASTE_BYTES && accepts(this.agents.accepted ?? [], "text/plain")) {
      event.preventDefault();
      this.tray.add(new File([text], this.nameOfPaste(), { type: "text/plain" }), { text });
    }
  }

  nameOfPaste() {
    const taken = this.tray.items.filter((item) => item.name.startsWith("pasted")).length;
    return taken ? `pasted ${taken + 1}.txt` : "pasted.txt";
  }

  keepText(item) {
    this.tray.remove(item);
    this.text.focus();
    this.text.setRangeText(item.text, this.text.selectionStart, this.text.selectionEnd, "end");
    this.changed();
  }

  pressed(event) {
    if (event.key === "Escape") return this.text.blur();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    const withKey = event.ctrlKey || event.metaKey;
    if (pref("send") === "ctrl" && !withKey) return;
    event.preventDefault();
    this.node.requestSubmit();
  }

  // A message needs words; where there are only files, their names are it.
  submitted(event) {
    event.preventDefault();
    if (!this.mayBeSent()) return this.text.focus();
    const { files } = this.tray;
    const text = this.text.value.trim() ? this.text.value : files.map((file) => file.name).join(", ");
    if (this.onSend(text, this.agents.value, files) === false) return undefined;
    this.trays.delete(this.key);
    this.tray = this.trayOf(this.keep({}));
    this.text.value = "";
    this.changed();
    return this.focus();
  }

  mayBeSent() {
    const { isUploading, hasFault, files } = this.tray;
    const hasWords = this.text.value.trim() !== "" || files.length > 0;
    return hasWords && !isUploading && !hasFault && this.misfits() === 0 && this.excess() <= 0;
  }

  misfits() {
    return this.tray.items.filter((item) => unfit(item, this.agents.chosenOne)).length;
  }

  changed() {
    this.keep();
    this.chips.update(this.tray, this.agents.chosenOne);
    this.text.classList.toggle("is-report", this.text.value.split("\n").length > 6);
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight}px`;
    const excess = this.excess();
    this.send.disabled = !this.mayBeSent();
    show(this.shorten, excess > 0);
    this.text.setAttribute("aria-invalid", String(excess > 0));
    const fault = excess > 0 || this.tray.hasFault || this.misfits() > 0;
    this.note.classList.toggle("is-fault", fault);
    setText(this.note, this.noteFor(excess));
  }

  noteFor(excess) {
    const most = this.limits().text_bytes;
    const size = byteLength(this.text.value);
    const tooMuch = `This is ${kib(size)}, and ${kib(most)} is the most that can be sent.`;
    if (excess > 0) return `${tooMuch} The end of a test run says most.`;
    if (this.misfits() > 0) return "Choose another agent for these files, or remove them.";
    if (this.tray.hasFault) return "A file could not be attached. Try again or remove it, then send.";
    return size > most * NOTE_FROM ? `${kib(size)} of ${kib(most)}` : "";
  }

  // How many bytes too many: of the text itself, and of the frame it travels in (a quotation mark takes two there).
  excess() {
    const { text_bytes: text, frame_bytes: frame } = this.limits();
    const value = this.text.value;
    return Math.max(byteLength(value) - text, byteLength(JSON.stringify(value)) - (frame - 2048));
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

  keep(draft = { text: this.text?.value, files: this.tray.files }) {
    keepDraft(this.key, draft);
    return this.key;
  }

  forget() {
    for (const tray of this.trays.values()) for (const item of tray.items) item.life?.abort();
    forTab.remove(DRAFTS);
    forBrowser.remove(AgentChoice.KEY);
  }
}

// What somebody else has left here is not shown to whoever signs in next: they may have gone without signing out.
function claimDrafts(userId) {
  if (readJson(forTab, DRAFTS, {}).userId !== userId) forTab.set(DRAFTS, JSON.stringify({ userId, drafts: {} }));
}

function draftOf(key) {
  return readJson(forTab, DRAFTS, {}).drafts?.[key] ?? {};
}

function keepDraft(key, { text, files }) {
  const { userId, drafts = {} } = readJson(forTab, DRAFTS, {});
  if (text || files?.length) drafts[key] = { text, files };
  else delete drafts[key];
  forTab.set(DRAFTS, JSON.stringify({ userId, drafts }));
}
