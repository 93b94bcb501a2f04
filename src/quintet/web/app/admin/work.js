// Open work of everybody: whose, by which agent, since when. What it is about is nobody's business.

import { button, el } from "../dom.js";
import { ago } from "../format.js";
import { row, section } from "./part.js";

export class Work {
  constructor(acting) {
    this.acting = acting;
    this.list = el("ul", { class: "rows" });
    this.none = el("p", { class: "note" }, "Nothing runs.");
    this.node = section("Runs", this.none, this.list);
  }

  async load() {
    try {
      const { items } = await this.acting.session.call("GET", "/v1/admin/runs");
      this.list.replaceChildren(...items.map((run) => this.row(run)));
      this.none.hidden = items.length > 0;
    } catch (error) {
      this.acting.fail(error);
    }
  }

  row(run) {
    const since = run.started_at ? `Started ${ago(run.started_at)}` : `Waiting since ${ago(run.created_at)}`;
    const props = { class: "quiet", shape: "stop", "aria-label": `Stop ${run.agent} of ${run.email}` };
    const stop = button("Stop", () => this.stop(run), props);
    const badges = run.cancelled ? [["being stopped", false]] : [];
    return row({ title: run.agent, badges, notes: [run.email, since], acts: run.cancelled ? [] : [stop] });
  }

  async stop({ id, user_id: user }) {
    try {
      await this.acting.session.call("POST", `/v1/admin/users/${user}/runs/${id}/cancel`);
      this.acting.tell("The run is being stopped.");
    } catch (error) {
      return this.acting.fail(error);
    }
    return this.load();
  }
}
