// The second step of a sign-in: a code of the authenticator, or one of the recovery codes.

import { button, el, setText } from "../dom.js";
import { codeField } from "./field.js";
import { Gate } from "./gate.js";

export class CodeStep extends Gate {
  constructor({ session, token, onSignedIn, onBack }) {
    const code = codeField();
    super({
      title: "One more step",
      word: "Continue",
      reason: "Enter the code that your authenticator shows. A recovery code will do as well.",
      fields: [code],
      inside: [code.node],
      ways: [el("p", { class: "form-other" }, button("Back", () => onBack(), { class: "link" }))],
    });
    Object.assign(this, { session, token, onSignedIn, onBack, code });
  }

  check() {
    return this.code.input.value.trim() === "" ? [this.code, "Enter the code."] : null;
  }

  fieldOf(code) {
    return code === "code_wrong" ? this.code : null;
  }

  refuse(error) {
    if (error.code === "invalid_token") return this.onBack("This took too long. Sign in again.");
    this.code.input.select();
    return super.refuse(error);
  }

  async send() {
    await this.session.signIn("/v1/auth/login/factor", { pending_token: this.token, code: this.code.input.value });
    setText(this.reason, "");
    this.onSignedIn();
  }
}
