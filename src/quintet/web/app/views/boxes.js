// The fields of the settings: a label, a box, and what was wrong with it.

import { div, el, setText } from "../dom.js";
import { wordFor } from "../words.js";

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

// The refusal of what a password confirms, said at its box.
export function refused(password, error) {
  const wrong = password.input.value ? "This is not your password." : "Enter your password.";
  fault(password, error.code === "credentials_wrong" ? wrong : wordFor(error));
}

export function clear(...fields) {
  for (const { input, said } of fields) {
    setText(said, "");
    input.removeAttribute("aria-invalid");
  }
}
