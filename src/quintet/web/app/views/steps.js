// The story of one agent: its thoughts, its tools and the agents it called, in the order they happened, nested.
// Each view is made once and then only brought up to date; what has not changed (`rev`) is not touched.

import { div, el, icon, setText, show, span } from "../dom.js";
import { duration, shorten } from "../format.js";
import { countFrom, stopAt } from "../ticker.js";
import { AGENT_WORDS } from "../words.js";
import { CallStep } from "./call.js";
import { avatar, drawState } from "./marks.js";

export class Steps {
  // `isFlat`: of the agents that were called only the name and the time are told.
  constructor(run, agent, { isFlat = false } = {}) {
    Object.assign(this, { run, agent, isFlat, views: [], rev: -1 });
    this.node = el("ol", { class: "steps" });
  }

  update() {
    if (this.rev === this.agent.rev) return;
    this.rev = this.agent.rev;
    const { items } = this.agent;
    for (let n = this.views.length; n < items.length; n += 1) {
      const view = this.viewOf(items[n]);
      this.views.push(view);
      this.node.append(view.node);
    }
    const isRunning = this.agent.state === "running";
    this.views.forEach((view, n) => view.update(isRunning && n === items.length - 1));
  }

  viewOf(item) {
    if (item.kind === "tool") return new CallStep(item.call);
    if (item.kind === "agent" && this.isFlat) return new AskedStep(this.run.agents.get(item.id));
    if (item.kind === "agent") return new AgentStep(this.run, this.run.agents.get(item.id));
    return new ThoughtStep(item);
  }
}

class ThoughtStep {
  constructor({ text, progress }) {
    this.bar = progress === undefined ? null : el("progress", { max: 1, value: progress, "aria-label": "Progress" });
    const dot = el("span", { class: "dot", "aria-hidden": "true" });
    this.node = el("li", { class: "step thought" }, dot, span("thought-text", withCode(text)), this.bar);
  }

  // The newest thought of a working agent is what it does now; only there the bar means something.
  update(isNewest) {
    this.node.classList.toggle("is-now", isNewest);
    if (this.bar) show(this.bar, isNewest);
  }
}

// What stands between backticks is code; nothing else of Markdown means anything in a thought.
function withCode(text) {
  return text.split(/`([^`\n]{1,200})`/).map((part, n) => (n % 2 ? el("code", {}, part) : part));
}

class AskedStep {
  constructor(agent) {
    this.agent = agent;
    this.time = span("time");
    const dot = el("span", { class: "dot", "aria-hidden": "true" });
    this.node = el(
      "li",
      { class: "step thought asked-step" },
      dot,
      span("thought-text", `Asked ${agent.name}`),
      this.time,
    );
  }

  update() {
    setText(this.time, this.agent.state === "running" ? "at work" : duration(this.agent.durationMs ?? 0));
  }
}

class AgentStep {
  constructor(run, agent) {
    Object.assign(this, { run, agent, rev: -1, touched: false });
    this.state = span("state");
    this.last = span("agent-last");
    this.word = span("visually-hidden");
    this.time = span("time");
    this.steps = new Steps(run, agent);
    this.said = el("p", { class: "said" });
    this.fault = el("p", { class: "fault" });
    const body = div("agent-body", this.steps.node, this.said, this.fault);
    this.box = el("details", { class: "agent-box", open: true }, this.summary(), body);
    this.node = el("li", { class: "step agent" }, this.box);
  }

  summary() {
    const { name } = this.agent;
    const head = [avatar(name), span("agent-name", name), this.last, this.word, this.time, this.state];
    return el("summary", { on: { click: () => (this.touched = true) } }, head, icon("chevron"));
  }

  update() {
    if (this.rev === this.agent.rev) return;
    const ended = this.agent.state !== "running";
    if (ended && !this.isInUse()) this.box.open = false;
    this.rev = this.agent.rev;
    this.steps.update();
    setText(this.said, shorten(this.agent.said.text, 600));
    show(this.said, this.agent.said.text !== "");
    setText(this.fault, this.agent.error?.message ?? "");
    show(this.fault, this.agent.error !== undefined);
    setText(this.last, this.agent.items.findLast((item) => item.kind === "thinking")?.text ?? "");
    setText(this.word, AGENT_WORDS[this.agent.state]);
    this.node.dataset.state = this.agent.state;
    drawState(this.state, this.agent.state);
    if (ended) stopAt(this.time, duration(this.agent.durationMs ?? 0));
    else countFrom(this.time, this.agent.startedAt);
  }

  // A box that the person has opened or is reading with the keyboard does not fold itself.
  isInUse() {
    return this.touched || this.box.querySelector(".agent-body")?.contains(document.activeElement);
  }
}
