// Asks before something is done that cannot be undone. The harmless answer is the one that Enter gives.

import { button, div, el } from "../dom.js";
import { Dialog } from "./dialog.js";

export function confirm({ title, text, word }) {
  return new Promise((resolve) => {
    const dialog = new Dialog({ title, name: "small", onClose: () => resolve(false) });
    const answer = (value) => {
      resolve(value);
      dialog.close();
    };
    const keep = button("Cancel", () => answer(false), { class: "soft" });
    const sure = button(word, () => answer(true), { class: "danger" });
    dialog.body.append(el("p", {}, text), div("dialog-foot", keep, sure));
    dialog.open(keep);
  });
}
