// The words for states, endings and refusals.

export const AGENT_WORDS = { running: "working", completed: "done", failed: "failed", cancelled: "stopped" };

export const CALL_WORDS = {
  running: "running",
  ok: "done",
  error: "failed",
  timeout: "timed out",
  cancelled: "stopped",
};

export const RUN_WORDS = {
  queued: "Waiting its turn",
  running: "Working",
  completed: "Done",
  failed: "Failed",
  cancelled: "Stopped",
};

export const CANCEL_WORDS = {
  user: "Stopped, as you asked. Nothing more was started.",
  timeout: "Stopped: this took longer than a run may take.",
  shutdown: "Stopped: the server was shut down. Send it again to start over.",
};

export const CONNECTION_WORDS = {
  offline: "This device is offline. What you write is kept and sent when it is back.",
  busy: "The server has too much to do just now – trying again…",
  lost: "Connection lost – trying again…",
  draining: "The server is restarting. This goes on by itself in a moment.",
  found: "Connected again. Nothing was lost.",
};

export function wordFor(error) {
  if (error.code === "unreachable") return "The server cannot be reached. Check the connection and try again.";
  if (!error.code) return "Something went wrong in this window. Reload it and try again.";
  const wait = error.retryAfter ? ` Try again in ${error.retryAfter} s.` : "";
  return `${error.message}${wait}`;
}
