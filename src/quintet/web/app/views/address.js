// The address that one signs in with: whether it is confirmed, and another one in its place by letter.

import { div, el, setText, show } from "../dom.js";
import { wordFor } from "../words.js";
import { clear, fault, refused, smallField } from "./boxes.js";
import { faultOfEmail } from "./field.js";

export function addressForm(session) {
  const { email, email_verified: isConfirmed } = session.user;
  const missing = "It is not confirmed yet: a letter brings a link that does it. If it is wrong, write the right one.";
  const state = isConfirmed ? "It is confirmed." : missing;
  const label = isConfirmed ? "New address" : "Address";
  const fresh = smallField("new-email", label, { type: "email", autocomplete: "off", autocapitalize: "none" });
  if (!isConfirmed) fresh.input.value = email;
  const password = smallField("address-password", "Password", { type: "password", autocomplete: "current-password" });
  const word = el("p", { class: "note", role: "status" });
  const ask = async () => {
    const wrong = faultOfEmail(fresh);
    if (wrong) return fault(fresh, wrong);
    if (!password.input.value) return fault(password, "Enter your password.");
    const body = { email: fresh.input.value.trim(), password: password.input.value };
    try {
      await session.call("POST", "/v1/auth/email", body);
    } catch (error) {
      return error.code === "email_invalid" ? fault(fresh, wordFor(error)) : refused(password, error);
    }
    fresh.input.value = password.input.value = "";
    return setText(word, `A letter is on its way to ${body.email}. Until you follow its link nothing changes.`);
  };
  const submit = (event) => {
    event.preventDefault();
    clear(fresh, password);
    setText(word, "");
    ask();
  };
  const save = el("button", { type: "submit", class: "soft" }, "Send the letter");
  const inside = [fresh.node, password.node, div("line", save), word];
  const form = el("form", { class: "password-form", novalidate: true, on: { submit } }, inside);
  const node = div("own", el("p", { class: "note" }, `${email}. ${state}`), form);
  // A server that writes no letters cannot change an address.
  session.entrance().then(({ letters }) => show(form, letters), () => {});
  return node;
}
