// One turn of a conversation: what the person wrote, the story of the work, the answer, how it ended.

import { button, div, el, icon, setText, show, span } from "../dom.js";
import { clockTime, duration } from "../format.js";
import { copyButton, drawMarkdown } from "../markup.js";
import { ENDED, nameOf } from "../run.js";
import { countFrom, stopAt } from "../ticker.js";
import { RUN_WORDS } from "../words.js";
import { section } from "./call.js";
import { files } from "./files.js";
import { avatar, drawState } from "./marks.js";
import { Outcome } from "./outcome.js";
import { Story } from "./story.js";
import { written } from "./written.js";

export class Turn {
  constructor(run, actions) {
    Object.assign(this, { run, actions, rev: -1 });
    this.asked = div("asked");
    this.head = el("header", { class: "reply-head" });
    this.state = span("state");
    this.word = span("run-word");
    this.time = span("time");
    this.stop = button("Stop", () => actions.stop(run), { class: "quiet stop", shape: "stop" });
    this.story = new Story(run, actions);
    this.answer = div("answer prose");
    this.outcome = new Outcome(run, actions);
    this.when = el("time");
    const raw = button("Events", () => actions.raw(run), { class: "quiet", shape: "braces" });
    this.copy = copyButton(() => run.answer.text, "Copy answer");
    this.foot = el("footer", { class: "reply-foot" }, this.copy, raw, this.when);
    const reply = [this.head, this.story.node, this.answer, this.outcome.node, this.foot];
    this.reply = el("div", { class: "reply", role: "group", "aria-label": "Answer" }, reply);
    this.node = el("article", { class: "turn", "data-run": run.id }, this.asked, this.reply);
    this.update();
  }

  update() {
    if (this.rev === this.run.rev) return;
    this.rev = this.run.rev;
    this.updateAsked();
    this.updateHead();
    this.story.update();
    this.updateAnswer();
    this.outcome.update();
  }

  updateAsked() {
    const told = `${this.run.files.length} ${this.run.text}`;
    if (this.shownText === told) return;
    this.shownText = told;
    this.asked.replaceChildren(...written(this.run.text), ...files(this.run.files, this.actions));
  }

  updateHead() {
    const { run } = this;
    const name = nameOf(run);
    if (this.name !== name) {
      this.name = name;
      this.head.replaceChildren(avatar(name), el("h2", {}, name), this.state, this.word, this.time, this.stop);
    }
    const ended = ENDED.has(run.state);
    this.node.dataset.state = run.state;
    drawState(this.state, run.state);
    setText(this.word, run.stopping && !ended ? "Stopping…" : RUN_WORDS[run.state]);
    show(this.stop, !ended);
    this.stop.disabled = run.stopping;
    if (ended) stopAt(this.time, run.durationMs === undefined ? "" : duration(run.durationMs));
    else if (run.state === "running") countFrom(this.time, run.agents.get(run.root)?.startedAt ?? run.acceptedAt);
    show(this.foot, ended);
    show(this.copy, run.answer.text !== "");
    setText(this.when, run.endedAt ? clockTime(run.endedAt) : "");
  }

  updateAnswer() {
    const { text } = this.run.answer;
    show(this.answer, text !== "");
    if (this.drawnText !== text) drawMarkdown(this.answer, text);
    this.drawnText = text;
    this.answer.classList.toggle("is-growing", !ENDED.has(this.run.state));
    this.updateResult();
  }

  updateResult() {
    const result = this.run.agents.get(this.run.root)?.result;
    if (result === undefined || this.result) return;
    const summary = el("summary", {}, icon("chevron"), "Result as data");
    this.result = el("details", { class: "call-box result" }, summary, ...section("Result", result));
    this.answer.after(this.result);
  }
}
