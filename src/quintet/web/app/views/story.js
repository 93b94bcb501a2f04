// The story of a run: one line when it is folded, the steps of all agents or of one of them when it is open.
// 1. It opens by itself only while work goes on that takes longer than a moment, so that nothing flashes.
// 2. It folds itself when the work is done, unless the person has touched it or is reading in it.
// 3. The story of a finished run that nobody has opened is not built at all.

import { button, div, el, icon, setText, show, span } from "../dom.js";
import { count, duration } from "../format.js";
import { ENDED, tally } from "../run.js";
import { Steps } from "./steps.js";
import { Team } from "./team.js";

const OPENS_AFTER_MS = 350;

export class Story {
  constructor(run, actions) {
    Object.assign(this, { run, actions, touched: false, opened: false, only: null, steps: null });
    this.now = span("now");
    this.sum = span("sum");
    const touch = { click: () => (this.touched = true) };
    const summary = el("summary", { on: touch }, icon("chevron"), this.now, this.sum);
    this.team = new Team(run, (name) => this.pick(name));
    const raw = { class: "quiet raw-open", shape: "braces" };
    this.raw = button("Events", () => actions.raw(run), raw);
    const bar = div("story-bar", this.team.node, this.raw);
    this.place = div("story-steps");
    this.node = el("details", { class: "story", on: { toggle: () => this.update() } }, summary, bar, this.place);
  }

  update() {
    const { run } = this;
    const root = run.agents.get(run.root);
    const ended = ENDED.has(run.state);
    const isUntold = !run.isWhole && ended;
    const hasStory = root !== undefined && root.items.length > 0;
    show(this.node, hasStory || isUntold);
    show(this.raw, !ended); // afterwards it stands under the answer
    this.moveByItself(ended);
    if (isUntold && this.node.open) this.actions.tell(run);
    setText(this.now, ended && !isUntold ? summaryOf(run) : this.wordForNow(ended));
    setText(this.sum, ended ? "" : stepsOf(run));
    if (!this.node.open || !hasStory) return;
    this.team.update();
    this.draw(root);
  }

  moveByItself(ended) {
    const { run } = this;
    if (ended && run.state === "completed" && this.opened && !this.isInUse()) this.node.open = this.opened = false;
    if (ended || !run.live || this.opened || this.touched || this.opening) return;
    this.opening = setTimeout(() => this.openNow(), OPENS_AFTER_MS);
  }

  openNow() {
    if (ENDED.has(this.run.state) || this.touched) return;
    this.opened = this.node.open = true;
  }

  toggle() {
    this.touched = true;
    this.node.open = !this.node.open;
    this.node.scrollIntoView({ block: "nearest" });
  }

  isInUse() {
    return this.touched || this.only !== null || (this.place.contains(document.activeElement) && this.node.open);
  }

  pick(name) {
    this.only = name;
    this.touched = true;
    this.steps = null;
    this.update();
  }

  draw(root) {
    const agents = this.only ? [...this.run.agents.values()].filter(({ name }) => name === this.only) : [root];
    const drawn = agents.map((agent) => agent.id).join(" ");
    if (this.steps === null || this.drawn !== drawn || this.steps[0]?.agent !== agents[0]) {
      this.steps = agents.map((agent) => new Steps(this.run, agent, { isFlat: this.only !== null }));
      this.place.replaceChildren(...this.steps.map((steps) => steps.node));
      this.drawn = drawn;
    }
    for (const steps of this.steps) steps.update();
  }

  wordForNow(ended) {
    if (ended) return "How it was done";
    return this.node.open ? "As it happens" : currentThought(this.run);
  }
}

function currentThought(run) {
  const working = [...run.agents.values()].filter((agent) => agent.state === "running").at(-1);
  const thought = working?.items.filter((item) => item.kind === "thinking").at(-1);
  return thought?.text ?? "Getting started";
}

function stepsOf(run) {
  const { agents, steps } = tally(run);
  const parts = [agents > 1 && count(agents, "agent", "agents"), steps > 0 && count(steps, "step", "steps")];
  return parts.filter(Boolean).join(" · ");
}

function summaryOf(run) {
  return [stepsOf(run), run.durationMs !== undefined && duration(run.durationMs)].filter(Boolean).join(" · ");
}
