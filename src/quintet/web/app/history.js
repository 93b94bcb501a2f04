// What the feed did not bring: older conversations, their texts, the story of a run that was joined in the middle.

import { isOpen } from "./run.js";

const PAGE = 200;
const MOST_PAGES = 25;

export class History {
  constructor(session, model) {
    Object.assign(this, { session, model, asked: new Map(), next: "" });
  }

  // Fills a conversation, once, and again where an answer was too long for its event.
  complete(threadId) {
    const needed = !this.model.isThreadComplete(threadId) || this.model.runsOf(threadId).some((run) => run.needsWholeText);
    if (!needed) return Promise.resolve();
    if (!this.asked.has(threadId)) {
      this.asked.set(threadId, this.read(threadId).finally(() => this.asked.delete(threadId)));
    }
    return this.asked.get(threadId);
  }

  async read(threadId) {
    const messages = [];
    for (let page = 0, next = ""; page < MOST_PAGES && next !== undefined; page += 1) {
      const answer = await this.session.call("GET", `/v1/threads/${encodeURIComponent(threadId)}/messages?limit=${PAGE}${after(next)}`);
      messages.push(...answer.items);
      next = answer.next;
    }
    this.model.takeMessages(threadId, messages);
    for (const run of this.model.runsOf(threadId)) await this.completeRun(run);
  }

  async completeRun(run) {
    if (run.isWhole || run.answer.text !== "" && !isOpen(run)) return;
    this.model.loading.set(run.id, []);
    try {
      this.model.rebuildRun(run, await this.events(run.id));
    } finally {
      this.model.loading.delete(run.id);
    }
  }

  async events(runId) {
    const answer = await this.session.call("GET", `/v1/runs/${encodeURIComponent(runId)}/events?after=0`);
    return Array.isArray(answer) ? answer : answer.items;
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
