// Fields of the screens before the door: a label, a box, what is asked of it, and what was wrong with it.

import { button, div, el, setAttr, setText } from "../dom.js";

const SHORTEST = 15;
const LONGEST = 256;

export const ABOUT_EMAIL = new Set(["email_taken", "email_invalid"]);
export const ABOUT_PASSWORD = new Set([
  "password_too_short",
  "password_too_long",
  "password_common",
  "password_invalid",
]);

const EMAIL = { type: "email", autocomplete: "username", autocapitalize: "none", spellcheck: "false" };

function field(name, label, props) {
  const described = { "aria-describedby": `${name}-fault ${name}-rule` };
  const input = el("input", { id: name, name, required: true, ...described, ...props });
  const fault = el("p", { id: `${name}-fault`, class: "field-fault", role: "alert" });
  const box = div("field-box", input);
  return { input, fault, box, node: div("field", el("label", { for: name }, label), box, fault) };
}

export function codeField() {
  return field("code", "Code", { autocomplete: "one-time-code", autocapitalize: "none", spellcheck: "false" });
}

export function emailField() {
  return field("email", "E-mail address", EMAIL);
}

export function faultOfEmail({ input }) {
  return /^\S+@\S+$/.test(input.value.trim()) ? "" : "Enter an e-mail address, such as name@example.org.";
}

// Counted as the server counts: characters, after NFKC.
export function lengthOf({ input }) {
  return [...input.value.normalize("NFKC")].length;
}

export function passwordField(label = "Password") {
  const made = field("password", label, { type: "password" });
  made.rule = el("p", { id: "password-rule", class: "field-rule" });
  const reveal = button("Show", () => toggle(), { class: "quiet reveal", "aria-pressed": "false" });
  const toggle = () => {
    const open = made.input.type === "password";
    made.input.type = open ? "text" : "password";
    setText(reveal, open ? "Hide" : "Show");
    setAttr(reveal, "aria-pressed", String(open));
  };
  made.box.append(reveal);
  made.node.append(made.rule);
  made.input.addEventListener("input", () => sayRule(made));
  sayRule(made);
  return made;
}

function sayRule(made) {
  const length = lengthOf(made);
  const missing = SHORTEST - length;
  const rest = length === 0 || missing <= 0 ? ". A short sentence is easy to remember." : `: ${missing} to go.`;
  const said = `At least ${SHORTEST} characters${rest}`;
  setText(made.rule, length > LONGEST ? `At most ${LONGEST} characters.` : said);
  made.rule.classList.toggle("is-kept", missing <= 0 && length <= LONGEST);
}

export function faultOfPassword(made, isNew) {
  const length = lengthOf(made);
  if (length === 0) return "Enter the password.";
  if (length > LONGEST) return `The password may have at most ${LONGEST} characters.`;
  const isShort = isNew && length < SHORTEST;
  return isShort ? `The password needs at least ${SHORTEST} characters; this has ${length}.` : "";
}
