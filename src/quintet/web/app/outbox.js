// What was written here and is not yet known to be accepted. It survives a reload, and is sent again under the same
// client_id, so that nothing written is lost and nothing is sent twice.
// 1. One at a time, in the order written; it leaves when its answer or its own message_accepted comes.
// 2. A passing refusal (busy, rate_limited, …) is tried again by itself; a lasting one is shown and waits.
// 3. The first message of a new conversation carries a draft key; those written after it wait for its thread.

import { Refused } from "./feed.js";
import { randomId } from "./session.js";
import { forTab, readJson } from "./storage.js";

const KEY = "quintet.outbox";
const PASSING = new Set(["busy", "unavailable", "rate_limited", "internal"]);
const MOST_ITEMS = 20;

export class Outbox {
  constructor(feed, { onChange, onAccepted }) {
    Object.assign(this, { feed, onChange, onAccepted });
    this.items = [];
    this.sending = false;
  }

  load(userId) {
    this.userId = userId;
    this.items = readJson(forTab, KEY, []).filter((item) => item.userId === userId);
    this.save(); // what somebody else has left here is gone
  }

  // A message for a new conversation that a reload came in between of: its draft is taken up again.
  lastDraft() {
    return this.items.findLast((item) => item.draft && !item.threadId)?.draft;
  }

  clear() {
    this.items = [];
    this.save();
  }

  get isFull() {
    return this.items.length >= MOST_ITEMS;
  }

  of(place) {
    return this.items.filter((item) => item.threadId === place || item.draft === place);
  }

  // `files` as the server names them; they are uploaded already.
  add({ text, agent, files = [], threadId, draft }) {
    this.items.push({ clientId: randomId(), userId: this.userId, text, agent, files, threadId, draft, error: null });
    this.save();
    this.pump();
  }

  again(clientId) {
    const item = this.find(clientId);
    if (item) item.error = null;
    this.save();
    this.pump();
  }

  remove(clientId) {
    this.items = this.items.filter((item) => item.clientId !== clientId);
    this.save();
  }

  // The answer of a send, or the message_accepted of our own log: whichever comes first.
  accepted(clientId, threadId) {
    const item = this.find(clientId);
    if (!item) return;
    for (const other of this.items) {
      if (item.draft && other.draft === item.draft && !other.threadId) other.threadId = threadId;
    }
    this.remove(clientId);
    this.onAccepted(item, threadId);
  }

  async pump() {
    if (this.sending) return;
    this.sending = true;
    try {
      for (let item = this.nextItem(); item; item = this.nextItem()) {
        if (!(await this.send(item))) break;
      }
    } finally {
      this.sending = false;
    }
  }

  nextItem() {
    const blocked = new Set(this.items.filter((item) => item.error).map((item) => item.threadId ?? item.draft));
    return this.items.find((item) => !item.error && !blocked.has(item.threadId ?? item.draft));
  }

  async send(item) {
    const { clientId, text, agent, threadId } = item;
    const attachments = item.files?.length ? item.files.map((file) => file.id) : undefined;
    const fields = { client_id: clientId, text, agent, thread_id: threadId, attachments };
    try {
      item.retryAt = undefined;
      const result = await this.feed.request({ do: "send", ...fields });
      this.accepted(clientId, result.thread_id);
      return true;
    } catch (error) {
      return this.refused(item, error);
    }
  }

  // True when the next one may be tried. A lost connection pumps again when it is found.
  refused(item, error) {
    if (!(error instanceof Refused)) {
      if (this.feed.connection.isOpen) setTimeout(() => this.pump(), 0);
      return false;
    }
    if (PASSING.has(error.code)) {
      const wait = (error.retryAfter ?? 2) * 1000;
      Object.assign(item, { retryAt: Date.now() + wait, waitsFor: error.code });
      setTimeout(() => this.pump(), wait);
      this.save();
      return false;
    }
    item.error = { code: error.code, message: error.message };
    this.save();
    return true;
  }

  find(clientId) {
    return this.items.find((item) => item.clientId === clientId);
  }

  save() {
    forTab.set(KEY, JSON.stringify(this.items));
    this.onChange();
  }
}
