// The fields of the settings: a label, a box, and what was wrong with it.

import { div, el, setText } from "../dom.js";

export function smallField(id, label, props) {
  const input = el("input", { id, class: "box", "aria-describedby": `${id}-fault`, ...props });
  const said = el("p", { id: `${id}-fault`, class: "field-fault", role: "alert" });
  return { input, said, node: div("field", el("label", { for: id }, label), input, said) };
}

export function fault({ input, said }, sentence) {
  setText(said, sentence);
  input.setAttribute("aria-invalid", "true");
  input.focus();
}

export function clear(...fields) {
  for (const { input, said } of fields) {
    setText(said, "");
    input.removeAttribute("aria-invalid");
  }
}
