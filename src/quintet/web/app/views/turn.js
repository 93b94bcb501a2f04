// One turn of a conversation: what the person wrote, the story of the work, the answer, how it ended.

import { button, div, el, icon, setText, show, span } from "../dom.js";
import { clockTime, count, duration } from "../format.js";
import { copyButton, drawMarkdown } from "../markup.js";
import { ENDED, nameOf, tally } from "../run.js";
import { countFrom, stopAt } from "../ticker.js";
import { RUN_WORDS } from "../words.js";
import { section } from "./call.js";
import { avatar, drawState } from "./marks.js";
import { Outcome } from "./outcome.js";
import { Steps } from "./steps.js";
import { written } from "./written.js";

export class Turn {
  constructor(run, actions) {
    Object.assign(this, { run, actions, rev: -1, touched: false, steps: null });
    this.asked = div("asked");
    this.head = el("header", { class: "reply-head" });
    this.state = span("state");
    this.word = span("run-word");
    this.time = span("time");
    this.stop = button("Stop", () => actions.stop(run), { class: "quiet stop", shape: "stop" });
    this.now = span("now");
    this.sum = span("sum");
    this.story = el("details", { class: "story", on: { toggle: () => this.updateStory() } }, this.storySummary());
    this.answer = div("answer prose");
    this.outcome = new Outcome(run, actions);
    this.when = el("time");
    this.foot = el("footer", { class: "reply-foot" }, copyButton(() => run.answer.text, "Copy answer"), this.when);
    const reply = [this.head, this.story, this.answer, this.outcome.node, this.foot];
    this.reply = el("section", { class: "reply", "aria-label": "Answer" }, reply);
    this.node = el("article", { class: "turn", "data-run": run.id }, this.asked, this.reply);
    this.update();
  }

  storySummary() {
    const touch = { click: () => (this.touched = true) };
    return el("summary", { on: touch }, icon("chevron"), this.now, this.sum);
  }

  update() {
    if (this.rev === this.run.rev) return;
    this.rev = this.run.rev;
    this.updateAsked();
    this.updateHead();
    this.updateStory();
    this.updateAnswer();
    this.outcome.update();
  }

  updateAsked() {
    if (this.shownText === this.run.text) return;
    this.shownText = this.run.text;
    this.asked.replaceChildren(...written(this.run.text));
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
    show(this.foot, ended && run.answer.text !== "");
    setText(this.when, run.endedAt ? clockTime(run.endedAt) : "");
  }

  // The story of a finished run that nobody has opened is not built at all.
  updateStory() {
    const { run } = this;
    const root = run.agents.get(run.root);
    const isUntold = !run.isWhole && ENDED.has(run.state);
    const hasStory = root !== undefined && root.items.length > 0;
    show(this.story, hasStory || isUntold);
    if (run.live && !this.hasOpened && !this.touched) this.story.open = this.hasOpened = true;
    if (isUntold && this.story.open) this.actions.tell(run);
    setText(this.now, this.wordForStory());
    setText(this.sum, summaryOf(run));
    if (!this.story.open || !hasStory) return;
    if (this.steps?.agent !== root) {
      this.steps?.node.remove();
      this.steps = new Steps(run, root);
      this.story.append(this.steps.node);
    }
    this.steps.update();
  }

  // Folded, the line tells what is being done now; open, the steps below it do.
  wordForStory() {
    if (ENDED.has(this.run.state)) return "How it was done";
    return this.story.open ? "As it happens" : currentThought(this.run);
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

function currentThought(run) {
  const working = [...run.agents.values()].filter((agent) => agent.state === "running").at(-1);
  const thought = working?.items.filter((item) => item.kind === "thinking").at(-1);
  return thought?.text ?? "Getting started";
}

function summaryOf(run) {
  const { agents, tools } = tally(run);
  const parts = [agents > 1 && count(agents, "agent", "agents"), tools > 0 && count(tools, "tool call", "tool calls")];
  return parts.filter(Boolean).join(" · ");
}

