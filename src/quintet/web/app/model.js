// All that this page knows: threads and runs, built from the snapshot and the events of the log. Events are applied in
// order, exactly once; the feed sees to that. Whoever shows something is told what changed.

import { titleOf } from "./format.js";
import { applyToRun, createRun, isOpen, takeOpenRun } from "./run.js";

export class Model {
  constructor(onChange) {
    this.onChange = onChange;
    this.reset();
  }

  reset() {
    this.threads = new Map();
    this.runs = new Map();
    this.isFromStart = false; // the log was read from its very first event, so every thread is complete
    this.isCaughtUp = false;
    this.loading = new Map();
    this.missing = new Set();
  }

  takeThreads(items) {
    for (const { id, title, updated_at: updatedAt } of items) {
      const thread = this.threadOf(id);
      thread.title = title || thread.title;
      thread.isNamed = true;
      thread.updatedAt = Math.max(thread.updatedAt ?? 0, Date.parse(updatedAt));
    }
    this.onChange({ threads: true });
  }

  takeSnapshot(snapshot) {
    this.takeThreads(snapshot.threads ?? []);
    for (const open of snapshot.runs ?? []) takeOpenRun(this.runOf(open.id, open.thread_id), open);
    this.onChange({ threads: true });
  }

  apply(event) {
    if ((event.first_seq ?? event.seq) === 1) this.isFromStart = true;
    if (event.run_id) this.applyToRun(event);
    else THREAD_EVENTS[event.type]?.(this, event);
  }

  applyToRun(event) {
    const run = this.runOf(event.run_id, event.thread_id);
    this.loading.get(run.id)?.push(event);
    if (!applyToRun(run, event)) return;
    this.noteThread(run, event);
    this.onChange({ run, event, threads: event.type === "message_accepted" || event.final === true });
  }

  // `askedSeq` and `endedSeq`: where in the log the thread's last message and its last ending are (seen.js).
  noteThread(run, event) {
    const thread = this.threadOf(run.threadId);
    if (event.type === "message_accepted") thread.askedSeq = event.seq;
    else if (event.final) Object.assign(thread, { endedSeq: event.seq, endedAs: run.state });
    else return;
    thread.updatedAt = Math.max(thread.updatedAt ?? 0, Date.parse(event.time));
  }

  // Replaces what is known of a run by its whole list of events; what arrived meanwhile is applied after them.
  rebuildRun(run, events) {
    const whole = createRun(run.id, run.threadId);
    for (const event of events) applyToRun(whole, event);
    for (const event of this.loading.get(run.id) ?? []) applyToRun(whole, event);
    this.loading.delete(run.id);
    if (whole.lastRunSeq >= run.lastRunSeq && whole.isWhole) {
      Object.assign(run, whole, { rev: run.rev + 1 });
      this.onChange({ run });
    }
  }

  // Messages of a thread, as the server keeps them: the texts, without the story of the work between them.
  takeMessages(threadId, messages) {
    for (const message of messages) {
      const run = this.runOf(message.run_id ?? message.id, threadId);
      if (message.role === "user") takeQuestion(run, message);
      else takeAnswer(run, message);
      run.acceptedAt ??= Date.parse(message.created_at);
      run.rev += 1;
    }
    const thread = this.threadOf(threadId);
    thread.isComplete = true;
    thread.runIds.sort((a, b) => this.runs.get(a).acceptedAt - this.runs.get(b).acceptedAt);
    this.onChange({ threads: true });
  }

  runOf(id, threadId) {
    if (!this.runs.has(id)) {
      this.runs.set(id, createRun(id, threadId));
      this.threadOf(threadId).runIds.push(id);
    }
    return this.runs.get(id);
  }

  titleOf(thread) {
    return titleOf(thread.title, this.runs.get(thread.runIds[0])?.text);
  }

  threadOf(id) {
    if (!this.threads.has(id)) this.threads.set(id, { id, title: "", runIds: [], isComplete: false });
    return this.threads.get(id);
  }

  runsOf(threadId) {
    return (this.threads.get(threadId)?.runIds ?? []).map((id) => this.runs.get(id));
  }

  removeThread(threadId) {
    const known = this.threads.has(threadId);
    for (const run of this.runsOf(threadId)) this.runs.delete(run.id);
    this.threads.delete(threadId);
    if (known) this.onChange({ threads: true, deleted: threadId });
  }

  isThreadComplete(threadId) {
    return this.isFromStart || this.missing.has(threadId) || this.threads.get(threadId)?.isComplete === true;
  }

  isBusy(threadId) {
    return this.runsOf(threadId).some(isOpen);
  }

  // Heard of by events alone, which do not say what a conversation was called when it began.
  nameless() {
    return [...this.threads.values()].filter((thread) => !thread.isNamed);
  }

  threadsByTime() {
    return [...this.threads.values()].sort((a, b) => (b.updatedAt ?? 0) - (a.updatedAt ?? 0));
  }
}

function takeQuestion(run, message) {
  run.text ||= message.text;
  if (run.files.length === 0) run.files = message.attachments ?? [];
}

function takeAnswer(run, message) {
  run.agentName ??= message.agent;
  if (run.lastRunSeq === 0 || run.needsWholeText) run.answer.replace(message.text);
  run.needsWholeText = false;
  if (run.lastRunSeq === 0) run.state = "completed";
}

const THREAD_EVENTS = {
  thread_updated(model, event) {
    const thread = model.threadOf(event.thread_id);
    thread.title = event.data?.title ?? thread.title;
    thread.updatedAt = Math.max(thread.updatedAt ?? 0, Date.parse(event.time));
    model.onChange({ threads: true });
  },
  // A range event stands for what was deleted, and comes before the event that says so: both mean the same here.
  thread_deleted: (model, event) => model.removeThread(event.thread_id),
};
