// The turns of the conversation on the screen, oldest first, kept at its end while the person stays there. An answer
// that grows out of the window is not run after: its first line stays in sight, until the person goes on.

import { button, div, el, show } from "../dom.js";
import { addressOf } from "../router.js";
import { Pending } from "./pending.js";
import { Turn } from "./turn.js";

const NEAR_END_PX = 90;
const ABOVE_ANSWER_PX = 76;
const ABOVE_REPLY_PX = 14;

export class Conversation {
  constructor({ model, outbox, actions, empty }) {
    Object.assign(this, { model, outbox, actions, empty, turns: new Map(), pending: new Map(), place: null });
    this.list = div("turns");
    this.waiting = el("div", { class: "skeleton", role: "img", "aria-label": "Loading" }, el("i"), el("i"), el("i"));
    this.nothing = missing();
    const latest = { class: "latest", hidden: true, shape: "down", "aria-label": "Latest", title: "Latest" };
    this.latest = button("", () => this.toEnd(), latest);
    const region = { class: "scroll", tabindex: 0, role: "region", "aria-label": "Conversation" };
    const inside = [empty, this.waiting, this.nothing, this.list];
    this.scroll = el("div", { ...region, on: { scroll: () => this.moved() } }, inside);
    this.node = div("conversation", this.scroll, this.latest);
    this.isAtEnd = true;
    new ResizeObserver(() => this.keepEnd()).observe(this.list);
  }

  // A place is a thread's id, or the key of a draft that has no thread yet.
  show({ threadId, draft }) {
    this.place = { threadId, draft };
    this.turns.clear();
    this.pending.clear();
    this.list.replaceChildren();
    this.isAtEnd = true;
    this.update();
    this.toEnd();
  }

  // The draft on the screen became a thread: the turns drawn stay where they are.
  become(threadId) {
    this.place = { threadId };
    this.update();
  }

  update() {
    const { threadId } = this.place;
    const runs = threadId ? this.model.runsOf(threadId) : [];
    const items = this.outbox.of(threadId ?? this.place.draft);
    for (const run of runs) this.turnOf(run).update();
    this.updatePending(items);
    const known = !threadId || (this.model.isCaughtUp && this.model.isThreadComplete(threadId));
    const isEmpty = runs.length + items.length === 0;
    const isMissing = Boolean(threadId) && known && !this.model.threads.has(threadId);
    show(this.waiting, isEmpty && !known);
    show(this.nothing, isEmpty && isMissing);
    show(this.empty, isEmpty && known && !isMissing);
    this.keepEnd();
  }

  turnOf(run) {
    const known = this.turns.get(run.id);
    if (known?.run === run) return known;
    const turn = new Turn(run, this.actions);
    known?.node.remove();
    this.turns.set(run.id, turn);
    const ids = this.model.threads.get(run.threadId)?.runIds ?? [];
    const next = ids.slice(ids.indexOf(run.id) + 1).map((id) => this.turns.get(id)).find(Boolean);
    const firstPending = this.pending.values().next().value;
    this.list.insertBefore(turn.node, next?.node ?? firstPending?.node ?? null);
    return turn;
  }

  updatePending(items) {
    const wanted = new Set(items.map((item) => item.clientId));
    for (const [id, view] of this.pending) {
      if (wanted.has(id)) continue;
      view.node.remove();
      this.pending.delete(id);
    }
    for (const item of items) {
      if (!this.pending.has(item.clientId)) {
        const view = new Pending(item, this.actions);
        this.pending.set(item.clientId, view);
        this.list.append(view.node);
      }
      this.pending.get(item.clientId).update(this.actions.isConnected());
    }
  }

  moved() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroll;
    this.isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    if (this.isAtEnd && scrollTop > this.startOfAnswer() + 1) this.readOn = this.lastTurn();
    show(this.latest, !this.isAtEnd);
  }

  keepEnd() {
    const { scrollHeight, clientHeight } = this.scroll;
    if (!this.list.hasChildNodes()) return this.stayOnTop();
    if (this.isAtEnd) this.scroll.scrollTop = Math.min(scrollHeight - clientHeight, this.startOfAnswer());
    else this.moved();
  }

  // The first screen is read from its top, however little room a small window leaves it.
  stayOnTop() {
    this.scroll.scrollTop = 0;
    show(this.latest, false);
  }

  toEnd() {
    this.isAtEnd = true;
    this.readOn = this.lastTurn();
    this.keepEnd();
    this.moved();
  }

  lastTurn() {
    const id = this.model.threads.get(this.place.threadId)?.runIds.at(-1);
    return this.turns.get(id);
  }

  // How far down the window may follow by itself: to the first line of the answer that is being given.
  startOfAnswer() {
    const turn = this.lastTurn();
    if (!turn?.run.live || turn === this.readOn || turn.answer.hidden) return Infinity;
    const isFolded = !turn.story.node.open;
    const { top } = (isFolded ? turn.reply : turn.answer).getBoundingClientRect();
    const above = isFolded ? ABOVE_REPLY_PX : ABOVE_ANSWER_PX;
    return this.scroll.scrollTop + top - this.scroll.getBoundingClientRect().top - above;
  }
}

function missing() {
  const anew = el("a", { href: addressOf(null), class: "soft" }, "Start a new one");
  const why = el("p", { class: "note" }, "It may have been deleted, or it belongs to another account.");
  return div("missing", el("h2", {}, "There is no such conversation here."), why, anew);
}
