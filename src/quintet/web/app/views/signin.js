// Signing in and signing up: one form, two moods. Who may sign up, and whether letters are written, the server says.

import { button, div, el, setAttr, setText, show } from "../dom.js";
import { ABOUT_EMAIL, ABOUT_PASSWORD, emailField, faultOfEmail, faultOfPassword, passwordField } from "./field.js";
import { Gate } from "./gate.js";
import { canUsePasskeys, wasLeft } from "../passkeys.js";

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
const SENT = "If this address is new here, a letter is on its way to it. Follow its link, then sign in.";
const SHUT = {
  invite: "New here? You need an invitation: open the link that you were sent.",
  closed: "New accounts are made by whoever runs this server.",
};
const INVITED = "You are invited. Choose how you will sign in.";

// The browser itself goes there, and comes back signed in.
function wayIn({ name, title }) {
  const go = () => location.assign(`/v1/auth/oidc/${encodeURIComponent(name)}/start`);
  return button(`Continue with ${title}`, go, { class: "soft big wide" });
}

const aside = (...inside) => el("p", { class: "form-other" }, ...inside);

export class SignIn extends Gate {
  constructor({ session, onSignedIn, onCode, onForgot, reason = "", invite = null, isKnown = session.hasBeenHere }) {
    const email = emailField();
    const password = passwordField();
    const forgot = button("Forgot your password?", () => onForgot(email.input.value.trim()), { class: "link" });
    const ask = el("span");
    const passkey = button("Sign in with a passkey", () => this.byPasskey(), { class: "soft big wide" });
    const elsewhere = div("ways");
    const other = button("", () => this.setMood(this.mood === "in" ? "up" : "in", true), { class: "link" });
    super({
      title: "",
      word: "",
      reason: reason || (invite ? INVITED : ""),
      fields: [email, password],
      inside: [email.node, password.node],
      ways: [passkey, elsewhere, aside(forgot), aside(ask, " ", other)],
    });
    Object.assign(this, { elsewhere, session, onSignedIn, invite, onCode, passkey });
    Object.assign(this, { email, password, forgot, ask, other });
    this.entrance = { sign_up: "open", letters: false };
    this.setMood(isKnown && !invite ? "in" : "up");
    this.learn();
  }

  // What cannot be done here is not offered. Until the server has said so, signing up is.
  async learn() {
    try {
      this.entrance = await this.session.entrance();
    } catch {
      return; // the form's own answer will tell
    }
    this.elsewhere.replaceChildren(...this.entrance.providers.map(wayIn));
    const isFresh = this.fields.every(({ input }) => input.value === "");
    if (this.mood === "up" && this.isShut && isFresh) this.setMood("in");
    else this.sayWays();
  }

  get isShut() {
    const { sign_up: mode } = this.entrance;
    return mode === "closed" || (mode === "invite" && !this.invite);
  }

  setMood(mood, byHand = false) {
    this.mood = mood;
    const words = MOODS[mood];
    this.become(words.title, words.send);
    setAttr(this.password.input, "autocomplete", words.autocomplete);
    show(this.password.rule, mood === "up");
    this.sayWays();
    if (byHand) this.title.focus();
  }

  sayWays() {
    const words = MOODS[this.mood];
    const isShut = this.mood === "in" && this.isShut;
    setText(this.ask, isShut ? SHUT[this.entrance.sign_up] : words.ask);
    setText(this.other, words.other);
    show(this.other, !isShut);
    show(this.passkey, this.mood === "in" && canUsePasskeys);
    show(this.forgot.parentNode, this.mood === "in" && this.entrance.letters);
  }

  check() {
    const ofEmail = faultOfEmail(this.email);
    if (ofEmail) return [this.email, ofEmail];
    const ofPassword = faultOfPassword(this.password, this.mood === "up");
    return ofPassword ? [this.password, ofPassword] : null;
  }

  refuse(error) {
    if (error.code === "factor_required") return this.onCode(error.problem.pending_token);
    return super.refuse(error);
  }

  async byPasskey() {
    this.clearFaults();
    try {
      await this.session.signInByPasskey();
    } catch (error) {
      return wasLeft(error) ? setText(this.fault, "No passkey was used.") : this.refuse(error);
    }
    return this.onSignedIn();
  }

  fieldOf(code) {
    if (ABOUT_EMAIL.has(code)) return this.email;
    return ABOUT_PASSWORD.has(code) ? this.password : null;
  }

  async send() {
    const credentials = { email: this.email.input.value.trim(), password: this.password.input.value };
    const invite = this.mood === "up" && this.invite ? { invite: this.invite } : {};
    if (await this.session.signIn(MOODS[this.mood].path, { ...credentials, ...invite })) return this.onSignedIn();
    this.setMood("in");
    return this.tell(SENT);
  }
}
