// Where in the page we are: "#/t/<thread>" is a conversation, everything else a new one.

export function place() {
  const found = /^#\/t\/([^/?#]+)$/.exec(location.hash);
  return { threadId: found ? decodeURIComponent(found[1]) : null };
}

export function addressOf(threadId) {
  return threadId ? `#/t/${encodeURIComponent(threadId)}` : "#/new";
}

export function go(threadId) {
  location.hash = addressOf(threadId);
}

// The draft has become a conversation: the same place under its lasting address, so "back" leads to no empty draft.
export function become(threadId) {
  history.replaceState(null, "", addressOf(threadId));
}
