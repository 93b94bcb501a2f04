// The first thing to see in a new conversation: what this is good for, and a way to try it with one click.

import { el, icon } from "../dom.js";

const PROMISES = [
  ["Watch it live", "Every thought, tool and answer of every agent, as it happens."],
  ["Reload freely", "Close the window, lose the network: the work goes on, and so do you."],
  ["Stop means stop", "One click, and nothing more is started."],
];

export function welcome({ onSample }) {
  const points = PROMISES.map(([title, text]) => el("li", {}, el("strong", {}, title), el("span", {}, text)));
  return el(
    "div",
    { class: "welcome" },
    el("div", { class: "mark big", "aria-hidden": "true" }, [1, 2, 3, 4, 5].map((n) => el("i", { class: `voice voice-${n}` }))),
    el("h2", {}, "What is broken today?"),
    el("p", { class: "lead" }, "Paste the output of a failing test run, and a team of agents works out why: the causes, the evidence, and what to fix first."),
    el("button", { type: "button", class: "soft big", on: { click: () => onSample() } }, icon("flask"), "Try a broken test run"),
    el("ul", { class: "points" }, points),
  );
}
