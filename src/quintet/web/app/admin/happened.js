// The audit: what was done with anybody's account, the newest first.

import { button, el, show } from "../dom.js";
import { entry } from "../views/activity.js";
import { section } from "./part.js";

const PAGE = 20;

export class Happened {
  constructor(acting) {
    Object.assign(this, { acting, next: null });
    this.list = el("ol", { class: "activity" });
    this.more = button("Show more", () => this.page(), { class: "soft", hidden: true });
    this.node = section("What happened", this.list, this.more);
  }

  async load() {
    this.next = null;
    this.list.replaceChildren();
    await this.page();
  }

  async page() {
    const before = this.next ? `&before=${this.next}` : "";
    try {
      const { items, next = null } = await this.acting.session.call("GET", `/v1/admin/audit?limit=${PAGE}${before}`);
      this.next = next;
      this.list.append(...items.map((item) => entry(item, true)));
      show(this.more, next !== null);
    } catch (error) {
      this.acting.fail(error);
    }
  }
}
