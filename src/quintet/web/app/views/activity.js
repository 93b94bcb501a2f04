// What happened to the account, the newest first: so that its owner sees what they did not do.

import { button, div, el, setText, show, span } from "../dom.js";
import { ago } from "../format.js";
import { wordFor } from "../words.js";

const PORTION = 8;

export class Activity {
  constructor(session) {
    this.session = session;
    this.next = null;
    this.list = el("ol", { class: "activity" });
    this.word = el("p", { class: "note", role: "status" });
    this.more = button("Show more", () => this.load(), { class: "quiet", hidden: true });
    this.node = div("own", this.list, this.more, this.word);
  }

  async load() {
    const before = this.next ? `&before=${this.next}` : "";
    try {
      const { items, next = null } = await this.session.call("GET", `/v1/auth/activity?limit=${PORTION}${before}`);
      this.next = next;
      this.list.append(...items.map((item) => entry(item)));
      show(this.more, next !== null);
    } catch (error) {
      setText(this.word, wordFor(error));
    }
  }
}

export function entry(item, withSubject = false) {
  const { at, words, address, by, detail = {} } = item;
  const actor = item.actor ?? item.actor_id;
  const told = [
    withSubject && (item.subject ?? item.subject_id),
    detail.device,
    address,
    by && "by an administrator",
    actor && `by ${actor}`,
  ];
  const from = told.filter(Boolean).join(" · ");
  const when = el("time", { datetime: at, title: new Date(at).toLocaleString() }, ago(at));
  return el("li", {}, span("activity-words", el("strong", {}, words), span("note", from)), when);
}
