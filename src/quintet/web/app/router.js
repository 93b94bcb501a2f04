// Where in the page we are: "#/t/<thread>" is a conversation, everything else a new one.

export function place() {
  const found = /^#\/t\/([\w-]+)$/.exec(location.hash); // an address may have been made by anybody
  return { threadId: found ? found[1] : null };
}

// Where a letter leads: "#/reset/<token>", and "#/forgot" without one.
export function letterPlace() {
  const found = /^#\/(?:(verify|reset|invite)\/([\w-]+)|(forgot))$/.exec(location.hash);
  return found ? { name: found[1] ?? found[3], token: found[2] ?? null } : null;
}

export function addressOf(threadId) {
  return threadId ? `#/t/${threadId}` : "#/new";
}

export function go(threadId) {
  location.hash = addressOf(threadId);
}

// The draft has become a conversation: the same place under its lasting address, so "back" leads to no empty draft.
export function become(threadId) {
  history.replaceState(null, "", addressOf(threadId));
}
