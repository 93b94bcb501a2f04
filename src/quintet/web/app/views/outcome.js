// How a run ended that did not end well: the sentence for the person, code and trace for whoever looks into it.

import { button, el, setText, show } from "../dom.js";
import { copyButton } from "../markup.js";
import { CANCEL_WORDS } from "../words.js";

const UNKNOWN = "This did not work out. The server gave no reason.";

export class Outcome {
  constructor(run, actions) {
    this.run = run;
    this.sentence = el("p", { class: "outcome-sentence" });
    this.details = el("p", { class: "outcome-details" });
    this.again = button("Send it again", () => actions.sendAgain(run), { class: "soft", shape: "retry" });
    this.node = el("div", { class: "outcome", hidden: true }, this.sentence, this.details, this.again);
  }

  update() {
    const { run } = this;
    const ended = run.state === "failed" || run.state === "cancelled";
    show(this.node, ended);
    if (!ended || this.shown === run.state) return;
    this.shown = run.state;
    this.node.classList.add(run.state);
    setText(this.sentence, sentenceOf(run));
    this.details.replaceChildren(...(run.state === "failed" ? detailsOf(run) : []));
    show(this.details, run.state === "failed");
  }
}

function sentenceOf({ state, error, reason }) {
  if (state === "failed") return error?.message ?? UNKNOWN;
  return CANCEL_WORDS[reason] ?? CANCEL_WORDS.user;
}

function detailsOf(run) {
  const { traceId, error } = run;
  const code = error?.code ? [el("span", {}, "Code ", el("code", {}, error.code))] : [];
  if (!traceId) return code;
  return [...code, el("span", {}, "Trace ", el("code", {}, traceId)), copyButton(() => traceId)];
}
