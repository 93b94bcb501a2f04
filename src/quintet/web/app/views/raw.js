// The events of one run as they came over the wire, one line each, opened to the whole JSON: for whoever builds agents
// or looks for a fault. It follows the run while it goes on.

import { div, el, setText, show, span } from "../dom.js";
import { count, duration, shorten } from "../format.js";
import { copyButton } from "../markup.js";
import { wordFor } from "../words.js";
import { Dialog } from "./dialog.js";

const MOST = 3000; // lines drawn; what is copied is everything

export class RawEvents {
  constructor({ read }) {
    Object.assign(this, { read, run: null, events: [] });
    this.word = el("p", { class: "note", role: "status" });
    this.follow = el("input", { type: "checkbox", id: "raw-follow", checked: true });
    this.live = el("label", { for: "raw-follow", class: "check" }, this.follow, "Follow live");
    this.list = el("ol", { class: "raw-list", tabindex: 0, "aria-label": "Events" });
    this.dialog = new Dialog({ title: "Events of this run", name: "drawer", onClose: () => (this.run = null) });
    const copy = copyButton(() => this.events.map((event) => JSON.stringify(event)).join("\n"), "Copy all");
    this.dialog.body.append(div("raw-bar", this.word, this.live, copy), this.list);
  }

  async open(run) {
    Object.assign(this, { run, events: [], waiting: [] });
    this.list.replaceChildren();
    setText(this.word, "Loading…");
    this.dialog.open();
    try {
      const events = await this.read(run.id);
      if (this.run !== run) return;
      const { waiting } = this;
      this.waiting = null;
      for (const event of [...events, ...waiting]) this.add(event);
      this.told();
    } catch (error) {
      setText(this.word, wordFor(error));
    }
  }

  hear(run, event) {
    if (run.id !== this.run?.id) return;
    if (this.waiting) this.waiting.push(event);
    else {
      this.add(event);
      this.told();
    }
  }

  add(event) {
    if (event.run_seq <= (this.events.at(-1)?.run_seq ?? 0)) return;
    this.events.push(event);
    if (this.events.length <= MOST) this.list.append(lineOf(event, this.events[0]));
  }

  told() {
    const cut = this.events.length > MOST ? ` The first ${MOST} are shown.` : "";
    setText(this.word, `${count(this.events.length, "event", "events")}.${cut}`);
    show(this.live, !this.events.at(-1)?.final);
    if (this.follow.checked) this.list.scrollTop = this.list.scrollHeight;
  }
}

function lineOf(event, first) {
  const body = el("pre", { tabindex: 0 });
  const open = () => body.textContent || body.append(el("code", {}, JSON.stringify(event, null, 2)));
  const ms = Math.max(0, Date.parse(event.time) - Date.parse(first.time));
  const after = ms < 1000 ? `+${ms} ms` : `+${duration(ms)}`;
  const type = el("code", { class: `raw-type ${event.type}` }, event.type);
  const words = [
    span("raw-seq", String(event.run_seq)),
    type,
    span("raw-agent", event.agent?.name ?? ""),
    span("raw-brief", brief(event)),
  ];
  const summary = el("summary", {}, words, span("time", after));
  const copy = copyButton(() => JSON.stringify(event, null, 2));
  return el("li", {}, el("details", { class: "raw-line", on: { toggle: open } }, summary, div("raw-body", copy, body)));
}

function brief({ data = {} }) {
  const told = data.tool ?? data.text ?? data.error?.code ?? data.reason ?? "";
  return shorten(String(told).slice(0, 200).replace(/\s+/g, " "), 70);
}
