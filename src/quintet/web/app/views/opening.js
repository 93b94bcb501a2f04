// What is seen while an earlier session is restored: nothing for a moment, then a sign of life, then why it takes long.

import { brand, el, setText } from "../dom.js";
import { CONNECTION_WORDS } from "../words.js";

export function opening() {
  const word = el("p", { role: "status" });
  const node = el("main", { class: "opening" }, brand(), word);
  return { node, say: (reason) => setText(word, reason ? CONNECTION_WORDS.lost : "") };
}
