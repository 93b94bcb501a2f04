// Who worked on a run, and for how long altogether: each a button that shows that agent's part of the story alone.

import { button, el, setText, show, span } from "../dom.js";
import { duration } from "../format.js";
import { voices } from "../run.js";
import { avatar } from "./marks.js";

export class Team {
  constructor(run, onPick) {
    Object.assign(this, { run, onPick, chosen: null, buttons: new Map() });
    this.all = button("All", () => this.pick(null), { class: "voice-chip", "aria-pressed": "true" });
    this.node = el("div", { class: "team", role: "group", "aria-label": "Whose part to show", hidden: true }, this.all);
  }

  update() {
    const team = voices(this.run);
    show(this.node, team.length > 1);
    for (const voice of team) this.updateOne(voice);
  }

  updateOne({ name, agents, durationMs, isRunning }) {
    if (!this.buttons.has(name)) {
      const time = span("time");
      const props = { class: "voice-chip", "aria-pressed": "false" };
      const one = button("", () => this.pick(name), props);
      one.append(avatar(name), span("voice-name", name), time);
      this.buttons.set(name, { one, time });
      this.node.append(one);
    }
    const times = agents.length > 1 ? `${agents.length} × ` : "";
    setText(this.buttons.get(name).time, isRunning ? "at work" : `${times}${duration(durationMs)}`);
  }

  pick(name) {
    this.chosen = name === this.chosen ? null : name;
    this.all.setAttribute("aria-pressed", String(this.chosen === null));
    for (const [key, { one }] of this.buttons) one.setAttribute("aria-pressed", String(key === this.chosen));
    this.onPick(this.chosen);
  }
}
