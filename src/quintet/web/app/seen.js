// What has been read here, as positions of the log: a conversation is unread while its last run ended after the last
// position that was on this screen. The server keeps no such mark, so the rule is honest about what it knows:
// 1. What one has shown is kept per browser; all windows of it agree.
// 2. Whoever writes in a conversation has read it: a message of one's own, from any device, marks it read on all.
// 3. A browser that was never here takes everything before its first look as read.

import { forBrowser, readJson } from "./storage.js";

const MOST = 500;

export class Seen {
  constructor(userId, { onChange, signal }) {
    this.key = `quintet.seen.${userId}`;
    this.read();
    const told = (event) => event.key === this.key && (this.read(), onChange());
    window.addEventListener("storage", told, { signal });
  }

  read() {
    const { base = null, threads = {} } = readJson(forBrowser, this.key, {});
    Object.assign(this, { base, threads });
  }

  begin(seq) {
    if (this.base === null) this.keep(seq);
  }

  isUnread(thread) {
    if (this.base === null || thread.endedSeq === undefined) return false;
    return thread.endedSeq > Math.max(this.base, this.threads[thread.id] ?? 0, thread.askedSeq ?? 0);
  }

  note(thread) {
    if (!this.isUnread(thread)) return;
    this.threads[thread.id] = thread.endedSeq;
    const order = Object.entries(this.threads).sort((a, b) => b[1] - a[1]);
    const dropped = order.slice(MOST)[0]?.[1] ?? 0;
    this.threads = Object.fromEntries(order.slice(0, MOST));
    this.keep(Math.max(this.base, dropped));
  }

  keep(base) {
    this.base = base;
    forBrowser.set(this.key, JSON.stringify({ base, threads: this.threads }));
  }

  forget() {
    forBrowser.remove(this.key);
  }
}
