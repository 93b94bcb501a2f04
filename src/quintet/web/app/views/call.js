// One tool call: what it was given, how it went, what came back.

import { div, el, icon, setText, show, span } from "../dom.js";
import { duration, shorten } from "../format.js";
import { countFrom, stopAt } from "../ticker.js";
import { CALL_WORDS } from "../words.js";
import { drawState } from "./marks.js";

const LONGEST_SHOWN = 20_000;

export class CallStep {
  constructor(call) {
    Object.assign(this, { call, rev: -1 });
    this.state = span("state");
    this.word = span("visually-hidden");
    this.time = span("time");
    this.fault = el("p", { class: "fault" });
    this.body = div("call-body");
    this.box = el("details", { class: "call-box", on: { toggle: () => this.fill() } }, this.summary(), this.body);
    this.node = el("li", { class: "step call" }, this.box, this.fault);
  }

  summary() {
    const name = el("code", { class: "call-name" }, this.call.tool);
    const given = span("call-given", brief(this.call.arguments));
    return el("summary", {}, name, given, this.word, this.time, this.state, icon("chevron"));
  }

  update() {
    const { call } = this;
    if (this.rev === call.rev) return;
    this.rev = call.rev;
    this.node.dataset.state = call.state;
    setText(this.word, CALL_WORDS[call.state] ?? call.state);
    setText(this.fault, call.error?.message ?? "");
    show(this.fault, call.error !== undefined);
    drawState(this.state, call.state);
    if (call.state === "running") countFrom(this.time, call.startedAt);
    else stopAt(this.time, duration(call.durationMs ?? 0));
    this.fill();
  }

  // What is folded away is not built.
  fill() {
    if (!this.box.open || this.filled === this.call.rev) return;
    this.filled = this.call.rev;
    const { arguments: given, result, error, truncated } = this.call;
    this.body.replaceChildren(
      ...section("Arguments", given),
      ...section("Result", result),
      ...section("Error", error && `${error.code}: ${error.message}`),
      ...(truncated ? [el("p", { class: "note" }, "The result is longer; this is its beginning.")] : []),
    );
    if (this.body.childElementCount === 0) this.body.append(el("p", { class: "note" }, "Still running."));
  }
}

export function section(title, value) {
  if (value === undefined) return [];
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return [el("h3", {}, title), el("pre", { tabindex: 0 }, el("code", {}, shorten(text, LONGEST_SHOWN)))];
}

// The first telling argument, in a few words.
function brief(given) {
  if (given === undefined || given === null) return "";
  if (typeof given !== "object") return shorten(String(given), 60);
  const parts = Object.entries(given).map(([key, value]) => `${key}: ${briefValue(value)}`);
  return shorten(parts.join(", "), 90);
}

function briefValue(value) {
  if (typeof value === "string") return shorten(value.slice(0, 500).replace(/[=_-]{4,}|\s+/g, " ").trim(), 60);
  if (Array.isArray(value)) return `${value.length} items`;
  return typeof value === "object" && value !== null ? "{…}" : String(value);
}
