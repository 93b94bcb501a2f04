// Asks before something is done that cannot be undone. The harmless answer is the one that Enter gives.

import { button, div, el } from "../dom.js";
import { Dialog } from "./dialog.js";
import { passwordBox } from "./factor.js";

export function confirm({ title, text, word }) {
  return asked({ title, text, word }, []).then(Boolean);
}

// The same with one's own password; what to send along, or null. Whoever has none leaves it empty.
export async function prove(question) {
  const password = passwordBox("prove-password");
  if (!(await asked(question, [password.node], password.input))) return null;
  const typed = password.input.value;
  return typed ? { password: typed } : {};
}

function asked({ title, text, word }, more, first) {
  return new Promise((resolve) => {
    const dialog = new Dialog({ title, name: "small", onClose: () => resolve(false) });
    const answer = (value) => {
      resolve(value);
      dialog.close();
    };
    const keep = button("Cancel", () => answer(false), { class: "soft" });
    const sure = el("button", { type: "submit", class: "danger" }, word);
    const on = { submit: (event) => (event.preventDefault(), answer(true)) };
    dialog.body.append(el("form", { on }, el("p", {}, text), ...more, div("dialog-foot", keep, sure)));
    dialog.open(first ?? keep);
  });
}
