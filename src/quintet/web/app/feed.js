// The log of one user, read from a cursor onward, each event applied exactly once (the client rule):
//   `last` starts at `last_seq`; an event is applied only if (first_seq or seq) == last + 1, dropped if seq <= last;
//   otherwise events are missing, and the feed is asked again from the last cursor.
// Requests over the same socket: `request` answers with the `result` of its id, or raises Refused or Lost.

import { Connection } from "./connection.js";

const ANSWER_MS = 15_000;
const MOST_GAPS = 3; // without progress; then the way to the server is changed, with a pause

export class Refused extends Error {
  constructor({ code, message, retry_after: retryAfter }) {
    super(message);
    Object.assign(this, { code, retryAfter });
  }
}

export class Lost extends Error {}

export class Feed {
  constructor(session, { onEvent, onCaughtUp, onResync, onReady, onState }) {
    Object.assign(this, { session, onEvent, onCaughtUp, onResync, onReady, onState });
    this.connection = new Connection(session, {
      onReady: (frame) => this.begin(frame),
      onFrame: (frame) => this.hear(frame),
      onState: (state) => this.became(state),
    });
    this.limits = { frame_bytes: 65_536, text_bytes: 32_768 };
    this.waiting = new Map();
    this.asked = 0;
    this.following = null;
    this.gaps = 0;
  }

  // From a cursor of ours, from "0" (the beginning of what is kept) or, after a resync, from a snapshot's cursor.
  start(cursor) {
    this.cursor = cursor;
    this.last = null;
    if (this.connection.isOpen) this.follow();
    else this.connection.start();
  }

  dispose() {
    this.connection.dispose();
    this.abandon();
  }

  became(state) {
    if (state.kind !== "draining") this.abandon();
    this.onState(state);
  }

  begin(frame) {
    Object.assign(this.limits, frame.limits);
    this.abandon();
    this.follow();
    this.onReady();
  }

  follow() {
    this.following = this.nextId();
    this.last = null; // nothing is applied until the server said where the feed starts
    this.connection.send({ id: this.following, do: "follow", after: this.cursor });
  }

  hear(frame) {
    if (frame.seq !== undefined) return this.receive(frame);
    return FRAMES[frame.type]?.(this, frame);
  }

  receive(event) {
    if (this.last === null || event.seq <= this.last) return;
    if ((event.first_seq ?? event.seq) !== this.last + 1) return this.missed();
    this.gaps = 0;
    this.last = event.seq;
    this.cursor = event.cursor;
    this.onEvent(event);
  }

  missed() {
    this.gaps += 1;
    if (this.gaps > MOST_GAPS) this.connection.lose();
    else this.follow();
  }

  async request(fields) {
    if (!this.connection.isOpen) throw new Lost();
    const id = this.nextId();
    const answer = new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    const late = setTimeout(() => this.settle(id, (wait) => wait.reject(new Lost())), ANSWER_MS);
    this.connection.send({ id, ...fields });
    return answer.finally(() => clearTimeout(late));
  }

  settle(id, work) {
    const wait = this.waiting.get(id);
    this.waiting.delete(id);
    if (wait) work(wait);
  }

  abandon() {
    for (const id of [...this.waiting.keys()]) this.settle(id, (wait) => wait.reject(new Lost()));
  }

  // The same socket goes on with a new token; where that is not possible, a new socket does, from the same cursor.
  // Where tokens live shorter than the server's warning, the warning comes at once, each time: hence the wait.
  async renew() {
    const { opening } = this.connection;
    await new Promise((done) => setTimeout(done, this.session.untilHalf));
    if (opening !== this.connection.opening) return;
    try {
      const token = await this.session.token(true);
      await this.request({ do: "auth", token });
    } catch {
      if (this.connection.isOpen) this.connection.reopen();
    }
  }

  acknowledge() {
    this.connection.send({ do: "ack", cursor: this.cursor });
  }

  nextId() {
    this.asked += 1;
    return `q${this.asked}`;
  }
}

const FRAMES = {
  following(feed, frame) {
    if (frame.id !== feed.following) return;
    feed.last = frame.last_seq;
    feed.cursor = frame.after;
  },
  caught_up(feed) {
    if (feed.last === null) return;
    feed.acknowledge();
    feed.onState({ kind: "live" });
    feed.onCaughtUp();
  },
  resync(feed, frame) {
    if (frame.id && frame.id !== feed.following) return;
    feed.last = null;
    feed.onResync(frame);
  },
  heartbeat: (feed) => feed.acknowledge(),
  auth_expiring: (feed) => void feed.renew(),
  result: (feed, frame) => feed.settle(frame.id, (wait) => wait.resolve(frame)),
  pong() {},
  error: (feed, frame) => feed.settle(frame.id, (wait) => wait.reject(new Refused(frame))),
};
