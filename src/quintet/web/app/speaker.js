// What a screen reader says by itself: beginnings, endings and the connection; not every step, no piece of text.

import { setText } from "./dom.js";
import { firstLine } from "./format.js";
import { nameOf } from "./run.js";

const BETWEEN_MS = 4000;

export class Speaker {
  constructor(node) {
    this.node = node;
    this.lastAt = -Infinity;
    this.next = "";
  }

  say(text) {
    this.lastAt = performance.now();
    this.next = text;
    setText(this.node, "");
    requestAnimationFrame(() => setText(this.node, this.next));
  }

  // The next person at this window hears nothing of the last.
  forget() {
    this.next = "";
    setText(this.node, "");
  }

  // Said only when nothing was said for a while: the next one is soon enough.
  mention(text) {
    if (performance.now() - this.lastAt > BETWEEN_MS) this.say(text);
  }

  tell(run, event) {
    const name = event.agent?.name ?? nameOf(run);
    if (event.final) this.say(ENDINGS[event.type]?.(name, run) ?? "");
    else if (event.type === "agent_started" && !event.agent.parent_id) this.say(`${name} is working.`);
    else if (event.type === "agent_started") this.mention(`${name} joined.`);
    else if (event.type === "agent_thinking") this.mention(event.data?.text ?? "");
  }
}

const ENDINGS = {
  agent_completed: (name, run) => `${name} answered. ${firstLine(run.answer.text.replace(/[#*`>|]/g, ""))}`,
  agent_failed: (name, run) => `${name} failed. ${run.error?.message ?? ""}`,
  agent_cancelled: (name) => `${name} was stopped.`,
};
