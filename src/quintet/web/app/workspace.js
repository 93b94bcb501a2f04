// The page of somebody who is signed in: the model, the feed that fills it, and the views that show it.
// A log that is short enough is read from its beginning, and everything on the screen comes from it alone. A long log
// is joined at a snapshot; then older texts are asked for when they are looked at (history.js).

import { Attention } from "./attention.js";
import { untilAnswered } from "./backoff.js";
import { commandsOf } from "./commands.js";
import { Feed } from "./feed.js";
import { History } from "./history.js";
import { listenForKeys } from "./keys.js";
import { Model } from "./model.js";
import { Outbox } from "./outbox.js";
import { become, go, place } from "./router.js";
import { isOpen } from "./run.js";
import { Seen } from "./seen.js";
import { randomId } from "./session.js";
import { Stops } from "./stops.js";
import { ThreadWork } from "./threadwork.js";
import { Composer } from "./views/composer.js";
import { Conversation } from "./views/conversation.js";
import { Frame } from "./views/frame.js";
import { Notice } from "./views/notice.js";
import { RawEvents } from "./views/raw.js";
import { Threads } from "./views/threads.js";
import { welcome } from "./views/welcome.js";
import { wordFor } from "./words.js";

const REPLAY_MOST = 5000;
const SNAPSHOT_THREADS = 50;

export class Workspace {
  constructor(session, speaker, onSignOut) {
    Object.assign(this, { session, speaker, draft: randomId(), isStale: false, life: new AbortController() });
    const { signal } = this.life;
    this.seen = new Seen(session.user.id, { onChange: () => this.note({ threads: true }), signal });
    this.attention = new Attention(signal);
    this.model = new Model((change) => this.note(change));
    this.feed = new Feed(session, {
      onEvent: (event) => this.model.apply(event),
      onCaughtUp: () => this.caughtUp(),
      onResync: () => this.load(false),
      onReady: () => this.ready(),
      onState: (state) => this.connectionIs(state),
    });
    const onAccepted = (item, threadId) => this.accepted(item, threadId);
    this.outbox = new Outbox(this.feed, { onChange: () => this.note({}), onAccepted });
    this.stops = new Stops(this.feed, this.model);
    this.history = new History(session, this.model);
    this.build(onSignOut);
  }

  build(onSignOut) {
    const { model, outbox, session, speaker, seen } = this;
    const { signal } = this.life;
    this.notice = new Notice({ onHurry: () => this.hurry(), speaker });
    this.work = new ThreadWork(session, model, (word) => this.notice.tell(word));
    this.commands = commandsOf(this, onSignOut);
    this.threads = new Threads({ model, seen, user: session.user, actions: this.commands.side });
    const empty = welcome({ onSample: () => this.commands.sample() });
    this.conversation = new Conversation({ model, outbox, actions: this.commands.turn, empty });
    this.raw = new RawEvents({ read: (runId) => this.history.events(runId) });
    this.composer = new Composer({
      session,
      onSend: (text, agent, files) => this.send(text, agent, files),
      onStop: () => this.stopAll(),
      limits: () => this.feed.limits,
      signal,
    });
    const { threads, conversation, notice, composer, commands } = this;
    this.frame = new Frame({ threads, conversation, notice, composer, actions: commands.bar, signal });
    this.node = this.frame.node;
    listenForKeys(commands.keys, signal);
    window.addEventListener("hashchange", () => this.moved(), { signal });
    document.addEventListener("visibilitychange", () => this.note({ threads: true }), { signal });
  }

  async start() {
    this.outbox.load(this.session.user.id);
    this.draft = this.outbox.lastDraft() ?? this.draft;
    this.moved();
    this.focus();
    await Promise.all([this.load(true), this.loadAgents()]);
  }

  focus() {
    if (window.matchMedia("(pointer: fine)").matches) this.composer.focus();
    else this.frame.main.focus({ preventScroll: true });
  }

  async load(mayReplay) {
    try {
      const wait = (error) => this.notice.connection({ kind: error.status ? "busy" : "lost" });
      const snapshot = await untilAnswered(() => this.session.call("GET", "/v1/snapshot"), wait);
      const replay = mayReplay && snapshot.last_seq <= REPLAY_MOST;
      this.model.reset();
      this.conversation.show(this.where());
      if (replay) this.model.takeThreads(snapshot.threads ?? []);
      else this.model.takeSnapshot(snapshot);
      this.feed.start(replay ? "0" : snapshot.cursor);
    } catch (error) {
      if (this.session.user) this.notice.tell(wordFor(error));
    }
  }

  async loadAgents() {
    try {
      const answer = await untilAnswered(() => this.session.call("GET", "/v1/agents"), () => {});
      this.composer.agents.setAgents(Array.isArray(answer) ? answer : (answer.items ?? answer.agents ?? []));
    } catch {
      // The server's default agent answers then; the choice stays with that.
    }
  }

  ready() {
    this.outbox.pump();
    this.stops.repeat();
  }

  caughtUp() {
    this.model.isCaughtUp = true;
    this.seen.begin(this.feed.last);
    this.threads.setOlder(this.model.threads.size >= SNAPSHOT_THREADS && !this.model.isFromStart);
    for (const run of this.model.runs.values()) run.live ||= isOpen(run);
    this.lookCloser();
    this.note({ threads: true });
    this.history.names().catch(() => {}); // the next event of a new conversation asks again
  }

  connectionIs(state) {
    this.notice.connection(state);
    if (state.kind === "live") this.composer.connected();
    if (state.kind === "live") this.threads.setState("Connected", "live");
    else if (state.kind !== "connecting") this.threads.setState("Not connected", "lost");
    this.note({});
  }

  hurry() {
    if (this.feed.connection.wanted) this.feed.connection.hurry();
    else this.feed.connection.start();
  }

  send(text, agent, files) {
    if (this.outbox.isFull) {
      this.notice.tell("Too many messages are waiting here. Wait until one has been accepted.");
      return false;
    }
    this.outbox.add({ text, agent, files, ...this.where() });
    this.conversation.toEnd();
    return true;
  }

  stopAll() {
    for (const run of this.model.runsOf(this.place.threadId)) if (isOpen(run)) this.stops.stop(run);
  }

  // The person stays where they are, unless they still look at the draft that this message has made a conversation.
  accepted(item, threadId) {
    if (!item.draft || item.draft !== this.draft || this.place.threadId) return;
    this.place = { threadId };
    this.draft = randomId();
    become(threadId);
    this.composer.become(threadId);
    this.conversation.become(threadId);
    this.threads.setCurrent(threadId);
  }

  moved() {
    this.place = place();
    const { threadId } = this.place;
    this.conversation.show(this.where());
    this.composer.show(threadId ?? "new", this.lastAgent());
    this.threads.setCurrent(threadId);
    this.note({ threads: true });
    this.lookCloser();
    if (this.model.isCaughtUp) this.focus();
  }

  where() {
    return this.place.threadId ? { threadId: this.place.threadId } : { draft: this.draft };
  }

  lastAgent() {
    const run = this.model.runsOf(this.place.threadId).at(-1);
    return run?.agents.get(run.root)?.name ?? run?.agentName;
  }

  lookCloser() {
    const { threadId } = this.place;
    if (threadId && this.model.isCaughtUp) this.history.complete(threadId).catch(() => {});
  }

  async older() {
    try {
      this.threads.setOlder(await this.history.olderThreads());
    } catch (error) {
      this.notice.tell(wordFor(error));
    }
  }

  note({ run, event, threads, deleted }) {
    if (run && this.model.isCaughtUp) this.noteLive(run, event);
    if (event?.type === "message_accepted") this.outbox.accepted(event.data.client_id, event.thread_id);
    if (deleted && deleted === this.place?.threadId) this.leaveDeleted();
    this.isStale ||= threads === true;
    if (this.drawing) return;
    this.drawing = true;
    if (document.hidden) setTimeout(() => this.draw(), 200);
    else requestAnimationFrame(() => this.draw());
  }

  leaveDeleted() {
    if (this.model.isCaughtUp) this.notice.say("This conversation is deleted.");
    go(null);
  }

  noteLive(run, event) {
    run.live = true;
    const isHere = run.threadId === this.place.threadId;
    if (event?.final) this.attention.ended();
    if (event && isHere) this.speaker.tell(run, event);
    if (event) this.raw.hear(run, event);
    if (run.needsWholeText && isHere) this.lookCloser();
    if (event?.type === "message_accepted") this.history.names().catch(() => {});
  }

  draw() {
    this.drawing = false;
    if (!this.place) return;
    const { threadId } = this.place;
    const thread = this.model.threads.get(threadId);
    if (thread && !document.hidden) this.seen.note(thread);
    if (this.isStale) this.threads.update();
    this.isStale = false;
    this.conversation.update();
    this.composer.setBusy(Boolean(threadId) && this.model.isBusy(threadId));
    const title = threadId ? (thread && this.model.titleOf(thread)) || "Conversation" : "New conversation";
    this.frame.setTitle(title, thread !== undefined);
    this.attention.name(title);
  }

  end() {
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
    this.life.abort();
    this.feed.dispose();
    this.outbox.clear();
    this.composer.forget();
  }
}
