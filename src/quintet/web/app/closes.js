// What each close code asks for (the wire, section 4): up to 4499 come back with the cursor, from 4500 on stop.

const RECONNECT = { next: "reconnect", wait: 0 };
const ALREADY_STOPPED = "The server does not accept this connection.";

const CLOSES = {
  4000: { next: "reconnect", wait: 500 },
  4001: { next: "refresh", wait: 0 },
  4005: { next: "reconnect", wait: 10_000 },
  4500: { next: "sign-in" },
  4501: { next: "signed-out" },
  4503: { next: "stop", word: "This account may not open a live connection." },
  4504: { next: "stop", word: "Too many windows are open at once. Close one, then try again." },
  4505: { next: "stop", word: "This window and the server misunderstood each other. Reload the page." },
  4506: { next: "stop", word: "This window is older than the server. Reload the page." },
};

export function afterClose(code) {
  return CLOSES[code] ?? (code >= 4500 && code < 5000 ? { next: "stop", word: ALREADY_STOPPED } : RECONNECT);
}
