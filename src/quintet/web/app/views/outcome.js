// How a run ended when it did not end well: the sentence for the person, the code and the trace for whoever looks into it.

import { el, icon, setText, show } from "../dom.js";
import { copyButton } from "../markup.js";
import { CANCEL_WORDS } from "../words.js";

const UNKNOWN = "This did not work out. The server gave no reason.";

export class Outcome {
  constructor(run, actions) {
    this.run = run;
    this.sentence = el("p", { class: "outcome-sentence" });
    this.details = el("p", { class: "outcome-details" });
    this.again = el("button", { type: "button", class: "soft", on: { click: () => actions.sendAgain(run) } }, icon("retry"), "Send it again");
    this.node = el("div", { class: "outcome", hidden: true }, this.sentence, this.details, this.again);
  }

  update() {
    const { run } = this;
    const ended = run.state === "failed" || run.state === "cancelled";
    show(this.node, ended);
    if (!ended || this.shown === run.state) return;
    this.shown = run.state;
    this.node.classList.add(run.state);
    setText(this.sentence, run.state === "failed" ? (run.error?.message ?? UNKNOWN) : (CANCEL_WORDS[run.reason] ?? CANCEL_WORDS.user));
    this.details.replaceChildren(...(run.state === "failed" ? detailsOf(run) : []));
    show(this.details, run.state === "failed");
    show(this.again, run.error?.retryable === true || run.reason === "shutdown");
  }
}

function detailsOf(run) {
  const { traceId, error } = run;
  const code = error?.code ? [el("span", {}, "Code ", el("code", {}, error.code))] : [];
  if (!traceId) return code;
  return [...code, el("span", {}, "Trace ", el("code", {}, traceId)), copyButton(() => traceId)];
}
