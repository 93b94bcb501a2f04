// A sentence that counts the seconds down to a moment, where the server has asked to wait.

import { setText } from "./dom.js";

export function countDown(node, until, sentence, onEnd) {
  clearInterval(node.counting);
  const tick = () => {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    if (seconds > 0) return setText(node, sentence(seconds));
    clearInterval(node.counting);
    return onEnd?.();
  };
  node.counting = setInterval(tick, 250);
  tick();
}

export function stopCounting(node) {
  clearInterval(node.counting);
}
