// What the parts of the desk have in common: a section with its heading, and a row with its words and what can be done.

import { div, el, span } from "../dom.js";

export function section(title, ...inside) {
  return el("section", { "aria-label": title }, el("h2", {}, title), ...inside);
}

export function row({ title, badges = [], notes = [], acts = [], isOff = false }) {
  const marks = badges.map(([word, isBad]) => span(isBad ? "badge is-bad" : "badge", word));
  const said = notes.filter(Boolean).map((note) => span("note", note));
  const words = div("row-words", el("strong", {}, title, ...marks), ...said);
  return el("li", { class: isOff ? "row-card is-off" : "row-card" }, words, div("row-acts", ...acts));
}
