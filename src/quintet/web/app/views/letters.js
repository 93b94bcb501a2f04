// The screens that letters lead to, and the one that asks for a letter. Opening one does nothing: scanners of mail open
// every link, so a person has to press the button.

import { call } from "../api.js";
import { button, el, setText, show } from "../dom.js";
import { ABOUT_PASSWORD, emailField, faultOfEmail, faultOfPassword, passwordField } from "./field.js";
import { Gate } from "./gate.js";

const BAD_LINK = new Set(["invalid_token", "token_expired"]);
const ON_ITS_WAY = "If there is an account with this address, a letter is on its way. Its link is good for an hour.";

const paragraph = (text) => el("p", { class: "gate-text" }, text);

// A link that is worth nothing: what it was for is not offered any more.
function close(gate, ...inside) {
  for (const node of [...inside, gate.submit]) show(node, false);
}

function way(word, go) {
  return el("p", { class: "form-other" }, button(word, go, { class: "link" }));
}

export class Forgotten extends Gate {
  constructor({ onBack, email = "" }) {
    const field = emailField();
    const text = paragraph("Enter your address, and we send you a letter with a link to a new password.");
    super({
      title: "Forgot your password?",
      word: "Send me a letter",
      fields: [field],
      inside: [text, field.node],
      ways: [way("Back to signing in", onBack)],
    });
    this.email = field;
    field.input.value = email;
  }

  check() {
    const fault = faultOfEmail(this.email);
    return fault ? [this.email, fault] : null;
  }

  fieldOf(code) {
    return code === "email_invalid" ? this.email : null;
  }

  async send() {
    await call("POST", "/v1/auth/password/forgot", { body: { email: this.email.input.value.trim() } });
    this.tell(ON_ITS_WAY);
    this.become("Look into your mail", "Send another letter");
    this.title.focus();
  }
}

export class NewPassword extends Gate {
  constructor({ token, onDone, onForgot, onBack }) {
    const field = passwordField("New password");
    const again = way("Ask for another letter", onForgot);
    const text = paragraph("It signs you out everywhere you are signed in now.");
    super({
      title: "Choose a new password",
      word: "Set password",
      fields: [field],
      inside: [text, field.node],
      ways: [again, way("Back to signing in", onBack)],
    });
    Object.assign(this, { token, onDone, text, password: field, again });
    field.input.autocomplete = "new-password";
    show(again, false);
  }

  check() {
    const fault = faultOfPassword(this.password, true);
    return fault ? [this.password, fault] : null;
  }

  fieldOf(code) {
    return ABOUT_PASSWORD.has(code) ? this.password : null;
  }

  async send() {
    await call("POST", "/v1/auth/password/reset", { body: { token: this.token, new: this.password.input.value } });
    this.onDone();
  }

  refuse(error) {
    super.refuse(error);
    if (!BAD_LINK.has(error.code)) return;
    close(this, this.text, this.password.node);
    show(this.again, true);
    this.again.firstChild.focus();
  }
}

export class Confirming extends Gate {
  constructor({ token, onDone, onBack }) {
    const text = paragraph("Press the button, and this address is yours here.");
    const back = way("Not now", onBack);
    super({ title: "Confirm your address", word: "Confirm", inside: [text], ways: [back] });
    Object.assign(this, { token, onDone, text, back });
  }

  focus() {
    this.submit.focus();
  }

  async send() {
    await call("POST", "/v1/auth/email/verify", { body: { token: this.token } });
    this.onDone();
  }

  refuse(error) {
    super.refuse(error);
    if (!BAD_LINK.has(error.code)) return;
    const more = "If you have confirmed it already, all is well. If not, sign in, or ask for another letter.";
    setText(this.fault, `${error.message} ${more}`);
    close(this, this.text);
    setText(this.back.firstChild, "Go on");
    this.back.firstChild.focus();
  }
}
