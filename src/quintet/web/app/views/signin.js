// Signing in and signing up: one form, two moods. Rules are said before they are broken; a refusal stands at its field.

import { brand, button, div, el, setAttr, setText, show } from "../dom.js";
import { countDown, stopCounting } from "../countdown.js";
import { wordFor } from "../words.js";
import { five } from "./five.js";

const SHORTEST = 15;
const LONGEST = 256;
const BROKEN = "Something went wrong in this window. Reload it and try again.";
const AT_EMAIL = new Set(["email_taken", "email_invalid"]);
const AT_PASSWORD = new Set(["password_too_short", "password_too_long", "password_common", "password_invalid"]);
const MOODS = {
  in: {
    title: "Welcome back",
    path: "/v1/auth/login",
    send: "Sign in",
    ask: "New here?",
    other: "Create an account",
    autocomplete: "current-password",
  },
  up: {
    title: "Create your account",
    path: "/v1/auth/register",
    send: "Create account",
    ask: "Already have an account?",
    other: "Sign in",
    autocomplete: "new-password",
  },
};

const EMAIL = { type: "email", autocomplete: "username", autocapitalize: "none", spellcheck: "false" };

export class SignIn {
  constructor({ session, onSignedIn, reason = "" }) {
    Object.assign(this, { session, onSignedIn });
    this.title = el("h1", { tabindex: -1 });
    this.reason = el("p", { class: "form-reason", role: "status" }, reason);
    show(this.reason, reason !== "");
    this.email = field("email", "E-mail address", EMAIL);
    this.password = field("password", "Password", { type: "password" });
    this.rule = el("p", { id: "password-rule", class: "field-rule" });
    this.reveal = button("Show", () => this.toggleReveal(), { class: "quiet reveal", "aria-pressed": "false" });
    this.fault = el("p", { class: "form-fault", role: "alert" });
    this.submit = el("button", { type: "submit", class: "primary wide" });
    this.ask = el("span");
    this.other = button("", () => this.setMood(this.mood === "in" ? "up" : "in", true), { class: "link" });
    this.password.box.append(this.reveal);
    this.password.node.append(this.rule);
    this.password.input.addEventListener("input", () => this.sayRule());
    this.node = div("gate", five(), el("main", { class: "gate-main" }, this.form()));
    this.setMood(session.hasBeenHere ? "in" : "up");
  }

  form() {
    const { title, reason, email, password, fault, submit } = this;
    const other = el("p", { class: "form-other" }, this.ask, " ", this.other);
    const on = { submit: (event) => this.submitted(event) };
    const inside = [brand(), title, reason, email.node, password.node, fault, submit, other];
    return el("form", { class: "gate-form", novalidate: true, on }, inside);
  }

  focus() {
    this.email.input.focus();
  }

  setMood(mood, byHand = false) {
    this.mood = mood;
    this.mustWait = false;
    stopCounting(this.submit);
    const words = MOODS[mood];
    setText(this.title, words.title);
    setText(this.submit, words.send);
    setText(this.ask, words.ask);
    setText(this.other, words.other);
    setAttr(this.password.input, "autocomplete", words.autocomplete);
    this.clearFaults();
    this.sayRule();
    document.title = `${words.send} · Quintet`;
    if (byHand) this.title.focus();
  }

  // Counted as the server counts: characters, after NFKC.
  sayRule() {
    const { length } = [...this.password.input.value.normalize("NFKC")];
    const missing = SHORTEST - length;
    const rest = length === 0 || missing <= 0 ? ". A short sentence is easy to remember." : `: ${missing} to go.`;
    const said = `At least ${SHORTEST} characters${rest}`;
    setText(this.rule, length > LONGEST ? `At most ${LONGEST} characters.` : said);
    this.rule.classList.toggle("is-kept", missing <= 0 && length <= LONGEST);
    show(this.rule, this.mood === "up");
  }

  toggleReveal() {
    const open = this.password.input.type === "password";
    this.password.input.type = open ? "text" : "password";
    setText(this.reveal, open ? "Hide" : "Show");
    setAttr(this.reveal, "aria-pressed", String(open));
  }

  async submitted(event) {
    event.preventDefault();
    if (this.submit.disabled || this.mustWait || !this.isComplete()) return;
    this.submit.disabled = true;
    this.node.classList.add("is-busy");
    try {
      await this.enter({ email: this.email.input.value.trim(), password: this.password.input.value });
    } catch (error) {
      this.refuse(error);
    } finally {
      this.submit.disabled = false;
      this.node.classList.remove("is-busy");
    }
  }

  async enter(credentials) {
    if (await this.session.signIn(MOODS[this.mood].path, credentials)) return this.onSignedIn();
    this.setMood("in");
    setText(this.reason, "If this address is new here, a message is on its way to it. Follow it, then sign in.");
    return show(this.reason, true);
  }

  isComplete() {
    this.clearFaults();
    const { length } = [...this.password.input.value.normalize("NFKC")];
    if (!/^\S+@\S+$/.test(this.email.input.value.trim())) {
      return this.faultAt(this.email, "Enter an e-mail address, such as name@example.org.");
    }
    const word = this.faultOfPassword(length);
    return word === "" || this.faultAt(this.password, word);
  }

  faultOfPassword(length) {
    if (length === 0) return "Enter the password.";
    if (length > LONGEST) return `The password may have at most ${LONGEST} characters.`;
    const isShort = this.mood === "up" && length < SHORTEST;
    return isShort ? `The password needs at least ${SHORTEST} characters; this has ${length}.` : "";
  }

  refuse(error) {
    if (AT_EMAIL.has(error.code)) this.faultAt(this.email, wordFor(error));
    else if (AT_PASSWORD.has(error.code)) this.faultAt(this.password, wordFor(error));
    else if (error.retryAfter) this.wait(error);
    else {
      setText(this.fault, error.code ? wordFor(error) : BROKEN);
      this.password.input.focus();
    }
  }

  // Counted down, and said once by a screen reader: the seconds are no part of the alert.
  wait(error) {
    this.mustWait = true;
    setText(this.fault, error.message);
    const words = MOODS[this.mood];
    const sentence = (seconds) => `${words.send} in ${seconds} s`;
    countDown(this.submit, Date.now() + error.retryAfter * 1000, sentence, () => {
      this.mustWait = false;
      setText(this.submit, MOODS[this.mood].send);
      setText(this.fault, "");
    });
  }

  faultAt(where, word) {
    setText(where.fault, word);
    where.input.setAttribute("aria-invalid", "true");
    where.input.focus();
    return false;
  }

  clearFaults() {
    setText(this.fault, "");
    for (const where of [this.email, this.password]) {
      setText(where.fault, "");
      where.input.removeAttribute("aria-invalid");
    }
  }
}

function field(name, label, props) {
  const described = { "aria-describedby": `${name}-fault ${name}-rule` };
  const input = el("input", { id: name, name, required: true, ...described, ...props });
  const fault = el("p", { id: `${name}-fault`, class: "field-fault", role: "alert" });
  const box = div("field-box", input);
  return { input, fault, box, node: div("field", el("label", { for: name }, label), box, fault) };
}
