// Which agent answers: a plain select, so that every keyboard, screen reader and phone knows it.

import { el, span } from "../dom.js";
import { forBrowser } from "../storage.js";

const DEFAULT = "assistant";

export class AgentChoice {
  static KEY = "quintet.agent";

  constructor(onChange) {
    this.onChange = onChange;
    this.agents = new Map();
    this.wanted = forBrowser.get(AgentChoice.KEY) ?? DEFAULT;
    const first = el("option", { value: "" }, "Default agent");
    const label = el("label", { for: "agent", class: "visually-hidden" }, "Agent");
    this.select = el("select", { id: "agent", on: { change: () => this.chosen() } }, first);
    this.node = span("agent-choice", label, this.select);
  }

  get value() {
    return this.select.value || undefined;
  }

  // The media types of files that the chosen agent takes; undefined while that is not known.
  get accepted() {
    return this.agents.get(this.select.value)?.attachments;
  }

  get chosenOne() {
    return { name: this.select.value, accepted: this.accepted };
  }

  setAgents(agents) {
    if (agents.length === 0) return;
    const options = agents.map(({ name, description }) => el("option", { value: name, title: description }, name));
    this.select.replaceChildren(...options);
    this.agents = new Map(agents.map((agent) => [agent.name, agent]));
    this.choose(this.wanted);
  }

  has(name) {
    return this.agents.has(name);
  }

  choose(name) {
    this.wanted = name;
    const names = [...this.select.options].map((option) => option.value);
    this.select.value = [name, DEFAULT, names[0]].find((candidate) => names.includes(candidate));
    this.describe();
  }

  chosen() {
    this.wanted = this.select.value;
    forBrowser.set(AgentChoice.KEY, this.wanted);
    this.describe();
  }

  describe() {
    this.select.title = this.agents.get(this.select.value)?.description ?? "";
    this.onChange();
  }
}
