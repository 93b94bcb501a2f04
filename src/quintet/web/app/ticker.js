// Counts up the times of what is running, once a second, wherever one is shown.

import { clock } from "./api.js";
import { setText } from "./dom.js";
import { elapsed } from "./format.js";

const running = new Set();

// `since` is in the server's time. The first second shows nothing: most steps are shorter.
export function countFrom(node, since) {
  node.since = since;
  running.add(node);
  tick(node);
}

export function stopAt(node, text) {
  running.delete(node);
  setText(node, text);
}

function tick(node) {
  const ms = Date.now() - clock.ahead - node.since;
  setText(node, ms >= 1000 ? elapsed(ms) : "");
}

setInterval(() => {
  for (const node of running) {
    if (node.isConnected) tick(node);
    else running.delete(node);
  }
}, 1000);
