// What the feed did not bring: older conversations, their texts, the story of a run that was joined in the middle.

import { isOpen } from "./run.js";

const PAGE = 200;
const MOST_PAGES = 50;

export class History {
  constructor(session, model) {
    Object.assign(this, { session, model, asked: new Map(), next: "" });
  }

  // Fills a conversation, once, and again where an answer was too long for its event.
  complete(threadId) {
    const isCut = this.model.runsOf(threadId).some((run) => run.needsWholeText);
    if (this.model.isThreadComplete(threadId) && !isCut) return Promise.resolve();
    if (!this.asked.has(threadId)) {
      this.asked.set(threadId, this.readOrMiss(threadId).finally(() => this.asked.delete(threadId)));
    }
    return this.asked.get(threadId);
  }

  async readOrMiss(threadId) {
    try {
      await this.read(threadId);
    } catch (error) {
      if (error.status === 404 && !this.model.threads.has(threadId)) this.model.missing.add(threadId);
      this.model.onChange({ threads: true });
    }
  }

  async read(threadId) {
    const messages = [];
    const address = `/v1/threads/${encodeURIComponent(threadId)}/messages?limit=${PAGE}`;
    for (let page = 0, next = ""; page < MOST_PAGES && next !== undefined; page += 1) {
      const answer = await this.session.call("GET", address + after(next));
      messages.push(...answer.items);
      next = answer.next;
    }
    this.model.takeMessages(threadId, messages);
    for (const run of this.model.runsOf(threadId)) await this.completeRun(run);
  }

  async completeRun(run) {
    if (run.isWhole || (run.answer.text !== "" && !isOpen(run))) return;
    await this.tell(run);
  }

  // The whole story of a run. What arrives while it is read is kept and applied after it.
  async tell(run) {
    if (run.isWhole || this.model.loading.has(run.id)) return;
    this.model.loading.set(run.id, []);
    try {
      this.model.rebuildRun(run, await this.events(run.id));
    } finally {
      this.model.loading.delete(run.id);
    }
  }

  async events(runId) {
    const events = [];
    for (let page = 0, after = 0; page < MOST_PAGES; page += 1, after = events.at(-1).run_seq) {
      const more = await this.session.call("GET", `/v1/runs/${encodeURIComponent(runId)}/events?after=${after}`);
      if (more.length === 0) break;
      events.push(...more);
    }
    return events;
  }

  // What other devices or programs called the conversations that they began. One that is not among the newest keeps the
  // name that its first message gives it.
  async names() {
    if (this.isNaming) return;
    this.isNaming = true;
    try {
      for (let fresh = this.model.nameless(); fresh.length > 0; fresh = this.model.nameless()) {
        const { items } = await this.session.call("GET", `/v1/threads?limit=${PAGE}`);
        for (const thread of fresh) thread.isNamed = true;
        this.model.takeThreads(items);
      }
    } finally {
      this.isNaming = false;
    }
  }

  // True while there are more.
  async olderThreads() {
    const answer = await this.session.call("GET", `/v1/threads?limit=${PAGE}${after(this.next)}`);
    this.next = answer.next;
    this.model.takeThreads(answer.items);
    return answer.next !== undefined;
  }
}

function after(next) {
  return next ? `&after=${encodeURIComponent(next)}` : "";
}
