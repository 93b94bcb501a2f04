// The passkeys of the person: made here, renamed, removed.

import { button, div, el, icon, setText, span } from "../dom.js";
import { deviceName } from "../device.js";
import { ago } from "../format.js";
import { canUsePasskeys, isAddressOfDigits, isKnownHere, makePasskey, wasLeft } from "../passkeys.js";
import { wordFor } from "../words.js";
import { clear, refused } from "./boxes.js";
import { prove } from "./confirm.js";
import { inForm, passwordBox } from "./factor.js";

const PATH = "/v1/auth/passkeys";
const DIGITS = "An address of digits cannot hold a passkey. Open this page under a name, such as localhost.";
const UNABLE = "This browser knows no passkeys.";
const TOLD = "A passkey signs you in with your fingerprint, face or device code instead of the password.";

export class Keychain {
  constructor(session) {
    this.session = session;
    this.list = el("ul", { class: "devices" });
    this.word = el("p", { class: "note", role: "status" });
    this.password = passwordBox("passkey-password");
    const add = button("Add a passkey", () => this.add(), { class: "soft", shape: "plus" });
    const able = canUsePasskeys ? [inForm(() => this.add(), this.password.node), div("line", add)] : [];
    const told = canUsePasskeys ? TOLD : isAddressOfDigits ? DIGITS : UNABLE;
    this.node = div("own", el("p", { class: "note" }, told), this.list, ...able, this.word);
  }

  async load() {
    try {
      const { items } = await this.session.call("GET", PATH);
      this.list.replaceChildren(...items.map((item) => this.item(item)));
    } catch (error) {
      setText(this.word, wordFor(error));
    }
  }

  item({ id, name, created_at: made, used_at: used }) {
    const when = used ? `Last used ${ago(used)}` : `Made ${ago(made)}`;
    const label = el("input", { class: "box", value: name, "aria-label": `Name of ${name}`, maxlength: 100 });
    const keep = () => this.rename(id, label.value.trim(), name);
    label.addEventListener("change", keep);
    const words = span("device-words", label, span("note", when));
    const remove = button("Remove", () => this.remove(id, name), { class: "quiet", "aria-label": `Remove ${name}` });
    return el("li", { class: "device" }, icon("device"), words, remove);
  }

  async add() {
    clear(this.password);
    setText(this.word, "");
    const typed = this.password.input.value;
    try {
      const { publicKey } = await this.session.call("POST", `${PATH}/options`, typed ? { password: typed } : {});
      const credential = await makePasskey(publicKey);
      await this.session.call("POST", PATH, { name: deviceName(), credential });
    } catch (error) {
      return this.refuse(error);
    }
    this.password.input.value = "";
    await this.load();
    return setText(this.word, "Added. You can sign in with it from now on.");
  }

  refuse(error) {
    if (error.code === "credentials_wrong") return refused(this.password, error);
    if (wasLeft(error)) return setText(this.word, "No passkey was made.");
    if (isKnownHere(error)) return setText(this.word, "This device has a passkey for you already.");
    return setText(this.word, wordFor(error));
  }

  async rename(id, name, before) {
    if (!name || name === before) return this.load();
    return this.change("PATCH", id, { name }, "Renamed.");
  }

  async remove(id, name) {
    const text = `${name} will not sign you in any more.`;
    const proof = await prove({ title: "Remove this passkey?", text, word: "Remove" });
    if (proof) await this.change("DELETE", id, proof, "Removed.");
  }

  async change(method, id, body, word) {
    try {
      await this.session.call(method, `${PATH}/${encodeURIComponent(id)}`, body);
    } catch (error) {
      return setText(this.word, wordFor(error));
    }
    await this.load();
    return setText(this.word, word);
  }
}
