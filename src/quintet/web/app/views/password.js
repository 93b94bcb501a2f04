// A new password. Everybody else who is signed in with this account is signed out by it, and is told so.

import { div, el, setText } from "../dom.js";
import { wordFor } from "../words.js";
import { clear, fault, smallField } from "./boxes.js";

const SHORTEST = 15;
const ABOUT_NEW = new Set(["password_too_short", "password_too_long", "password_common", "password_invalid"]);

export function passwordForm(session, onChanged) {
  const user = el("input", { type: "email", autocomplete: "username", hidden: true, "aria-label": "E-mail address" });
  user.value = session.user.email;
  const current = boxOf("Password now", "current-password");
  const fresh = boxOf("New password", "new-password");
  const word = el("p", { class: "note", role: "status" });
  const change = async () => {
    clear(current, fresh);
    if (!current.input.value) return fault(current, "Enter the password that you have now.");
    const { length } = [...fresh.input.value.normalize("NFKC")];
    if (length < SHORTEST) return fault(fresh, `It needs at least ${SHORTEST} characters; this has ${length}.`);
    try {
      await session.call("POST", "/v1/auth/password", { current: current.input.value, new: fresh.input.value });
    } catch (error) {
      return fault(ABOUT_NEW.has(error.code) ? fresh : current, refusal(error));
    }
    current.input.value = fresh.input.value = "";
    setText(word, "Changed. All other devices are signed out.");
    return onChanged();
  };
  const submit = (event) => {
    event.preventDefault();
    setText(word, "");
    change();
  };
  const save = el("button", { type: "submit", class: "soft" }, "Change password");
  return el(
    "form",
    { class: "password-form", novalidate: true, on: { submit } },
    user,
    current.node,
    fresh.node,
    div("line", save),
    word,
  );
}

function refusal(error) {
  return error.code === "credentials_wrong" ? "This is not the password that you have now." : wordFor(error);
}

function boxOf(label, autocomplete) {
  return smallField(`change-${autocomplete}`, label, { type: "password", autocomplete });
}
