// How the server is: its checks, and a handful of figures of now.

import { div, el } from "../dom.js";
import { section } from "./part.js";

const WORDS = {
  users: "users",
  disabled: "disabled",
  sessions: "sessions",
  users_connected: "connected",
  sockets: "sockets",
  runs_running: "runs going on",
  runs_queued: "runs waiting",
  writes_waiting: "writes waiting",
  loop_lag_ms: "ms loop lag",
  version: "version",
};

export class Health {
  constructor(acting) {
    this.acting = acting;
    this.list = el("dl", { class: "figures" });
    this.node = section("Health", this.list);
  }

  async load() {
    try {
      const { checks, figures } = await this.acting.session.call("GET", "/v1/admin/health");
      const said = Object.entries(checks).map(([name, word]) => figure(name, word, word !== "ok"));
      const counted = Object.entries(WORDS).map(([name, word]) => figure(word, figures[name]));
      const full = figures.disk_full ? [figure("disk", "full", true)] : [];
      this.list.replaceChildren(...said, ...full, ...counted);
    } catch (error) {
      this.acting.fail(error);
    }
  }
}

function figure(name, value, isBad = false) {
  return div(isBad ? "is-bad" : "", el("dt", {}, name), el("dd", {}, String(value ?? "–")));
}
