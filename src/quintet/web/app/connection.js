// One live socket at a time, for as long as the person is signed in.
// 1. Only the newest socket is heard: each opening has a number, and what an older one still says is ignored.
// 2. A close code decides what comes next (closes.js); without a code, come back after a growing pause.
// 3. Silence is a loss: nothing heard for 60 s, or no answer to a question asked when the window is looked at again.

import { ApiError } from "./api.js";
import { Backoff } from "./backoff.js";
import { afterClose } from "./closes.js";

const READY_MS = 10_000;
const SILENCE_MS = 60_000;
const DOUBT_MS = 27_000; // a heartbeat comes every 25 s
const PROBE_MS = 4_000;
const LOOK_MS = 5_000;
const REFUSALS_MS = 60_000;

export class Connection {
  constructor(session, { onReady, onFrame, onState }) {
    Object.assign(this, { session, onReady, onFrame, onState });
    this.backoff = new Backoff();
    this.opening = 0;
    this.socket = null;
    this.heardAt = 0;
    this.refusedAt = -Infinity;
    this.drainFor = null;
    this.life = new AbortController();
    const { signal } = this.life;
    window.addEventListener("online", () => this.hurry(), { signal });
    window.addEventListener("offline", () => this.probe(), { signal });
    window.addEventListener("pageshow", () => this.hurry(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry(), { signal });
    this.looking = setInterval(() => this.listenForSilence(), LOOK_MS);
  }

  dispose() {
    this.stop();
    this.life.abort();
    clearInterval(this.looking);
  }

  start() {
    this.wanted = true;
    this.onState({ kind: "connecting" });
    this.open();
  }

  stop(state = { kind: "off" }) {
    this.wanted = false;
    this.leave(1000);
    this.onState(state);
  }

  get isOpen() {
    return this.socket !== null && this.isReady === true;
  }

  send(frame) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  // Leaves this socket for a new one at once, as after a renewed token: nothing is lost, the cursor goes on.
  reopen() {
    this.leave(1000);
    this.open();
  }

  // Something says that the way may be free again: do not wait for the pause to end.
  hurry() {
    if (!this.wanted) return;
    if (this.pause) this.open();
    else this.probe();
  }

  async open() {
    const opening = (this.opening += 1);
    clearTimeout(this.pause);
    this.pause = null;
    try {
      const token = await this.session.token();
      if (opening === this.opening && this.wanted) this.dial(opening, token);
    } catch (error) {
      if (opening !== this.opening || !this.wanted) return;
      if (error instanceof ApiError && error.status === 401) return;
      this.retry();
    }
  }

  dial(opening, token) {
    const bearer = btoa(token).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
    const address = new URL("/v1/ws", location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address, ["quintet.v1", `bearer.${bearer}`]);
    const current = (work) => (event) => opening === this.opening && work(event);
    socket.addEventListener("message", current((event) => this.hear(event.data)));
    socket.addEventListener("close", current((event) => this.closed(event.code)));
    this.socket = socket;
    this.isReady = false;
    this.deadline = setTimeout(current(() => this.lose()), READY_MS);
  }

  hear(data) {
    this.heardAt = Date.now();
    const frame = JSON.parse(data);
    if (frame.type === "ready") this.becomeReady(frame);
    else if (frame.type === "draining") this.drain(frame.after);
    else this.onFrame(frame);
  }

  becomeReady(frame) {
    clearTimeout(this.deadline);
    if (frame.user_id !== this.session.user?.id) return this.session.onOtherUser();
    this.isReady = true;
    this.drainFor = null;
    this.backoff.reset();
    return this.onReady(frame);
  }

  drain(seconds) {
    this.drainFor = seconds * 1000;
    this.onState({ kind: "draining" });
  }

  closed(code) {
    const step = afterClose(code);
    this.leave();
    if (step.next === "stop") return this.stop({ kind: "stopped", word: step.word });
    if (step.next === "signed-out") return this.session.drop("You were signed out: this session was ended.");
    if (step.next === "sign-in") return this.refused();
    if (step.next === "refresh") this.session.token(true).catch(() => {});
    return this.retry(this.drainFor ?? step.wait);
  }

  // A token that the server does not know: a new one is worth one try, a second refusal means signed out.
  refused() {
    const again = Date.now() - this.refusedAt < REFUSALS_MS;
    this.refusedAt = Date.now();
    if (again) return this.session.drop("The server does not know this session. Sign in again.");
    this.session.token(true).catch(() => {});
    return this.retry();
  }

  retry(floor = 0) {
    if (this.drainFor === null) this.onState({ kind: "lost" });
    this.pause = setTimeout(() => this.open(), this.backoff.next(floor));
  }

  lose() {
    this.leave(4004);
    this.retry();
  }

  leave(code) {
    clearTimeout(this.deadline);
    clearTimeout(this.pause);
    this.pause = null;
    this.opening += 1;
    if (code) this.socket?.close(code);
    this.socket = null;
    this.isReady = false;
  }

  listenForSilence() {
    if (this.isOpen && Date.now() - this.heardAt > SILENCE_MS) this.lose();
  }

  probe() {
    if (!this.isOpen || Date.now() - this.heardAt < DOUBT_MS) return;
    const { opening, heardAt } = this;
    this.send({ id: "probe", do: "ping" });
    setTimeout(() => opening === this.opening && heardAt === this.heardAt && this.lose(), PROBE_MS);
  }
}
