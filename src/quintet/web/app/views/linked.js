// Who the person is elsewhere: providers that are linked to the account, and those that can be.

import { button, div, el, icon, setText, show, span } from "../dom.js";
import { ago } from "../format.js";
import { wordFor } from "../words.js";
import { clear, refused } from "./boxes.js";
import { prove } from "./confirm.js";
import { inForm, passwordBox } from "./factor.js";

const PATH = "/v1/auth/identities";
const TOLD = "Link an account elsewhere, and you can sign in with it here.";

export class Linked {
  constructor(session) {
    this.session = session;
    this.list = el("ul", { class: "devices" });
    this.word = el("p", { class: "note", role: "status" });
    this.password = passwordBox("link-password");
    this.ways = div("line");
    this.offer = div("own", el("p", { class: "note" }, TOLD), inForm(null, this.password.node), this.ways);
    this.node = div("own", this.list, this.offer, this.word);
  }

  async load() {
    try {
      const { providers } = await this.session.entrance();
      const way = ({ name, title }) => button(`Link ${title}`, () => this.link(name), { class: "soft" });
      const ways = providers.map(way);
      this.ways.replaceChildren(...ways);
      show(this.offer, providers.length > 0);
      const { items } = await this.session.call("GET", PATH);
      this.list.replaceChildren(...items.map((item) => this.item(item)));
      const none = "This server signs nobody in with an account elsewhere.";
      if (!items.length && !providers.length) setText(this.word, none);
    } catch (error) {
      setText(this.word, wordFor(error));
    }
  }

  item({ id, issuer, email, last_used_at: used }) {
    const place = new URL(issuer).host;
    const told = span("note", `${email ?? "linked"} · last used ${ago(used)}`);
    const words = span("device-words", el("strong", {}, place), told);
    const end = button("Unlink", () => this.unlink(id, place), { class: "quiet", "aria-label": `Unlink ${place}` });
    return el("li", { class: "device" }, icon("device"), words, end);
  }

  async link(name) {
    clear(this.password);
    const typed = this.password.input.value;
    try {
      const path = `/v1/auth/oidc/${encodeURIComponent(name)}/link`;
      const { address } = await this.session.call("POST", path, typed ? { password: typed } : {});
      location.assign(address);
    } catch (error) {
      if (error.code === "credentials_wrong") return refused(this.password, error);
      setText(this.word, wordFor(error));
    }
    return undefined;
  }

  async unlink(id, place) {
    const text = `You will not be able to sign in with ${place} any more.`;
    const proof = await prove({ title: "Unlink this account?", text, word: "Unlink" });
    if (!proof) return undefined;
    try {
      await this.session.call("DELETE", `${PATH}/${encodeURIComponent(id)}`, proof);
    } catch (error) {
      return setText(this.word, wordFor(error));
    }
    await this.load();
    return setText(this.word, "Unlinked.");
  }
}
