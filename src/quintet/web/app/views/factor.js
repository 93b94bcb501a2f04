// The second factor in the settings: switched on with an authenticator, its recovery codes, switched off.

import { button, div, el, setText, show } from "../dom.js";
import { count } from "../format.js";
import { wordFor } from "../words.js";
import { clear, fault, refused, smallField } from "./boxes.js";
import { drawSquares } from "./squares.js";

const PATH = "/v1/auth/factor";
const ONCE = " Each signs you in once, without the authenticator. They are not shown again.";

export class Factor {
  constructor(session) {
    this.session = session;
    this.body = div("own");
    this.word = el("p", { class: "note", role: "status" });
    this.node = div("own", this.body, this.word);
  }

  async load() {
    try {
      this.shown(await this.session.call("GET", PATH));
    } catch (error) {
      setText(this.word, wordFor(error));
    }
  }

  shown({ on, recovery_codes_left: left }) {
    const password = passwordBox("factor-password");
    const ask = (path, then, method = "POST") => this.ask(password, method, path, then);
    if (!on) {
      const begin = () => ask(PATH, (made) => this.enrolling(made));
      const start = button("Set up an authenticator", begin, { class: "soft" });
      const told = "Off. With it, signing in by password also takes a code that an authenticator app shows.";
      return this.put(el("p", { class: "note" }, told), inForm(begin, password.node), div("line", start));
    }
    const fresh = () => ask(`${PATH}/recovery-codes`, (told) => this.codes(told.recovery_codes));
    const off = () => ask(PATH, () => this.off(), "DELETE");
    const told = `On. ${count(left, "recovery code is", "recovery codes are")} left.`;
    return this.put(
      el("p", { class: "note" }, told),
      inForm(null, password.node),
      div(
        "line",
        button("New recovery codes", fresh, { class: "soft" }),
        button("Switch off", off, { class: "quiet" }),
      ),
    );
  }

  async off() {
    await this.load();
    setText(this.word, "Switched off.");
  }

  async ask(password, method, path, then) {
    clear(password);
    setText(this.word, "");
    try {
      const body = password.input.value ? { password: password.input.value } : {};
      await then(await this.session.call(method, path, body));
    } catch (error) {
      refused(password, error);
    }
  }

  enrolling({ secret, uri, qr }) {
    const props = { inputmode: "numeric", autocomplete: "one-time-code" };
    const code = smallField("factor-code", "Code that it shows", props);
    const confirm = async () => {
      clear(code);
      try {
        const told = await this.session.call("POST", `${PATH}/confirm`, { code: code.input.value });
        this.codes(told.recovery_codes);
      } catch (error) {
        fault(code, wordFor(error));
      }
    };
    const on = { submit: (event) => (event.preventDefault(), confirm()) };
    const send = el("button", { type: "submit", class: "soft" }, "Switch on");
    this.put(
      el("p", {}, "Scan this with your authenticator app, or type the key into it."),
      drawSquares(qr, "The picture that an authenticator scans"),
      el("code", { class: "secret-key" }, secret.match(/.{1,4}/g).join(" ")),
      el("p", {}, el("a", { href: uri }, "Open in an authenticator on this device")),
      el("form", { class: "password-form", novalidate: true, on }, code.node, div("line", send)),
    );
    code.input.focus();
  }

  // They are nowhere else: the person says when they are kept.
  codes(found) {
    const list = el("ul", { class: "recovery-codes" }, found.map((code) => el("li", {}, el("code", {}, code))));
    const copy = async () => {
      await navigator.clipboard.writeText(found.join("\n"));
      setText(this.word, "Copied.");
    };
    const heading = el("p", { tabindex: -1 }, el("strong", {}, "Keep these recovery codes."), ONCE);
    const kept = button("I have kept them", () => this.load(), { class: "soft" });
    this.put(heading, list, div("line", button("Copy", copy, { class: "quiet", shape: "copy" }), kept));
    heading.focus();
  }

  put(...inside) {
    this.body.replaceChildren(...inside);
    setText(this.word, "");
    show(this.body, true);
  }
}

// A password box stands in a form: browsers and what keeps passwords for people look for one. `act` is what Enter does.
export function inForm(act, ...inside) {
  const on = { submit: (event) => (event.preventDefault(), act?.()) };
  return el("form", { class: "password-form", novalidate: true, on }, ...inside);
}

export function passwordBox(id) {
  return smallField(id, "Your password", { type: "password", autocomplete: "current-password" });
}
