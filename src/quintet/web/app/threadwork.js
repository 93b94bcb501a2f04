// What a person does to a whole conversation: a new name, which is shown at once and taken back when it is refused; and
// deleting, which cannot be undone and is therefore asked for first.

import { confirm } from "./views/confirm.js";
import { wordFor } from "./words.js";

const WHAT = "all that was said in it and its files are deleted on every device. This cannot be undone.";

export class ThreadWork {
  constructor(session, model, tell) {
    Object.assign(this, { session, model, tell });
  }

  async rename(threadId, title) {
    const thread = this.model.threads.get(threadId);
    const wanted = title.trim().slice(0, 200);
    if (!thread || wanted === "" || wanted === this.model.titleOf(thread)) return;
    const { title: before } = thread;
    this.put(thread, wanted);
    try {
      await this.session.call("PATCH", addressOf(threadId), { title: wanted });
    } catch (error) {
      this.put(thread, before);
      this.tell(`The name could not be changed. ${wordFor(error)}`);
    }
  }

  put(thread, title) {
    thread.title = title;
    this.model.onChange({ threads: true });
  }

  async remove(threadId) {
    const thread = this.model.threads.get(threadId);
    if (!thread) return;
    const busy = this.model.isBusy(threadId) ? " The work that goes on in it is stopped." : "";
    const isSure = await confirm({
      title: "Delete this conversation?",
      text: `“${this.model.titleOf(thread)}”, ${WHAT}${busy}`,
      word: "Delete",
    });
    if (!isSure) return;
    try {
      await this.session.call("DELETE", addressOf(threadId));
      this.model.removeThread(threadId); // the log says so too, in a moment
    } catch (error) {
      if (error.status === 404) this.model.removeThread(threadId);
      else this.tell(`The conversation could not be deleted. ${wordFor(error)}`);
    }
  }
}

function addressOf(threadId) {
  return `/v1/threads/${encodeURIComponent(threadId)}`;
}
