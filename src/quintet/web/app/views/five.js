// The picture beside the sign-in form: the five events of a run, as they will be seen. Nothing reads it out.

import { el, span } from "../dom.js";

const STORY = [
  ["started", "triage has started"],
  ["thinking", "Three of the nine failures share a cause"],
  ["running", "cluster_failures"],
  ["done", "2 clusters, 1 left over"],
  ["completed", "Set SECRET_KEY first: it blocks three tests"],
];

export function five() {
  const lines = STORY.map(([kind, text], n) =>
    el("li", { class: `five-line five-${n + 1}` }, [
      span(`five-mark voice-${n + 1}`),
      span("five-kind", kind),
      span("five-text", text),
    ]),
  );
  return el(
    "aside",
    { class: "gate-side", "aria-hidden": "true" },
    el("p", { class: "gate-claim" }, "Watch a team of agents think, and lose nothing of it."),
    el("ol", { class: "five" }, lines),
  );
}
