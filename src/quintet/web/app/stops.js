// Runs that the person wants stopped. A wish outlives the connection: it is said again until the run has ended.

import { Refused } from "./feed.js";
import { isOpen } from "./run.js";

export class Stops {
  constructor(feed, model) {
    Object.assign(this, { feed, model, wanted: new Set() });
  }

  stop(run) {
    if (!isOpen(run)) return;
    run.stopping = true;
    this.wanted.add(run.id);
    this.model.onChange({ run: bump(run) });
    this.say(run.id);
  }

  repeat() {
    for (const id of this.wanted) this.say(id);
  }

  async say(id) {
    const run = this.model.runs.get(id);
    try {
      await this.feed.request({ do: "cancel", run_id: id });
      this.wanted.delete(id);
    } catch (error) {
      if (!(error instanceof Refused)) return; // the connection is gone: said again when it is back
      this.wanted.delete(id);
      if (run) this.model.onChange({ run: bump(Object.assign(run, { stopping: false })) });
    }
  }
}

function bump(run) {
  run.rev += 1;
  return run;
}
