// The first thing to see in a new conversation: what this is good for, and a way to try it with one click.

import { button, div, el, mark } from "../dom.js";

const PROMISES = [
  ["Watch it live", "Every thought, tool and answer of every agent, as it happens."],
  ["Reload freely", "Close the window, lose the network: the work goes on, and so do you."],
  ["Stop means stop", "One click, and nothing more is started."],
];

const LEAD =
  "Paste the output of a failing test run, and a team of agents works out why: " +
  "the causes, the evidence, what to fix first.";

export function welcome({ onSample }) {
  const points = PROMISES.map(([title, text]) => el("li", {}, el("strong", {}, title), el("span", {}, text)));
  return div(
    "welcome",
    mark("mark big"),
    el("h2", {}, "What is broken today?"),
    el("p", { class: "lead" }, LEAD),
    button("Try a broken test run", onSample, { class: "soft big", shape: "flask" }),
    el("p", { class: "note" }, "A small invented one: nothing of yours is needed."),
    el("ul", { class: "points" }, points),
  );
}
