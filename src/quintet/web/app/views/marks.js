// The small marks that stand for a state and for an agent.

import { el, icon } from "../dom.js";

const STATE_ICONS = {
  completed: "check",
  ok: "check",
  failed: "cross",
  error: "cross",
  timeout: "cross",
  cancelled: "minus",
};

export function drawState(node, state) {
  if (node.dataset.state === state) return;
  node.dataset.state = state;
  const spinner = el("i", { class: "spinner", "aria-hidden": "true" });
  node.replaceChildren(STATE_ICONS[state] ? icon(STATE_ICONS[state]) : spinner);
}

// One of five colours for each name, always the same. With these numbers the five of the shipped team all differ.
export function avatar(name) {
  const hue = [...name].reduce((sum, letter) => (sum * 197 + letter.codePointAt(0)) % 9973, 5) % 5;
  return el("span", { class: `avatar hue-${hue}`, "aria-hidden": "true" }, [...name][0]?.toUpperCase() ?? "?");
}
