// How long to wait before the next try: twice as long each time, at most 15 s, spread out so that two thousand windows
// do not come back in the same second.

import { ApiError } from "./api.js";

const FIRST_MS = 400;
const MOST_MS = 15_000;

export class Backoff {
  constructor() {
    this.tries = 0;
  }

  next(floor = 0) {
    const span = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(this.tries, 10));
    this.tries += 1;
    return floor + span * (0.5 + Math.random() / 2);
  }

  reset() {
    this.tries = 0;
  }
}

// Tries until the server answers. A refusal that another try cannot change is raised at once.
export async function untilAnswered(work, onWait) {
  const backoff = new Backoff();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error)) throw error;
      onWait(error);
      await new Promise((done) => setTimeout(done, backoff.next((error.retryAfter ?? 0) * 1000)));
    }
  }
}

export function isPassing(error) {
  return !(error instanceof ApiError) || error.status >= 500 || error.status === 429;
}
