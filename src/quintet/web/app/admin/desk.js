// The desk: how the server is, what runs, who there is, and what happened. Nothing that anybody has written.

import { brand, button, div, el, setText } from "../dom.js";
import { wordFor } from "../words.js";
import { Happened } from "./happened.js";
import { Health } from "./health.js";
import { People } from "./people.js";
import { Work } from "./work.js";

const AGAIN_MS = 10_000;

export class Desk {
  constructor(session) {
    this.word = el("p", { class: "note", role: "status" });
    const acting = { session, tell: (sentence) => setText(this.word, sentence), fail: (error) => this.fail(error) };
    this.health = new Health(acting);
    this.work = new Work(acting);
    this.happened = new Happened(acting);
    this.people = new People(acting, () => this.happened.load());
    const again = button("Look again", () => this.load(), { class: "soft", shape: "retry" });
    const links = div("line", el("a", { href: "/" }, "To the chat"), again);
    const head = el("header", { class: "desk-head" }, brand(), el("h1", {}, "Administration"), links);
    const parts = [this.health, this.work, this.people, this.happened].map(({ node }) => node);
    this.node = el("main", { class: "desk" }, head, this.word, ...parts);
    setInterval(() => document.hidden || this.refresh(), AGAIN_MS);
  }

  async load() {
    setText(this.word, "");
    await Promise.all([this.refresh(), this.people.load(), this.happened.load()]);
  }

  async refresh() {
    await Promise.all([this.health.load(), this.work.load()]);
  }

  fail(error) {
    setText(this.word, error.code === "forbidden" ? "You are no administrator any more." : wordFor(error));
  }
}

