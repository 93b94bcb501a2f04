// HTTP under /v1. A refusal becomes an ApiError with the server's code; a server that cannot be reached, Unreachable.

const TIMEOUT_MS = 20_000;
const FILE_TIMEOUT_MS = 300_000;

export class ApiError extends Error {
  constructor(status, problem, retryAfter) {
    super(problem.detail || problem.title || "The server refused this.");
    this.status = status;
    this.code = problem.code || "unknown";
    this.problem = problem; // some refusals carry what one goes on with
    this.retryAfter = retryAfter;
  }
}

export class Unreachable extends Error {
  constructor() {
    super("The server cannot be reached.");
    this.code = "unreachable";
  }
}

// How far this clock is ahead of the server's, in milliseconds. For elapsed times on the screen, never for order.
export const clock = { ahead: 0 };

export async function call(method, path, { body, token, as = "json" } = {}) {
  const headers = { "X-Quintet-Client": "web", Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await reach(path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    credentials: "same-origin",
    cache: "no-store",
    redirect: "error",
    signal: AbortSignal.timeout(as === "blob" ? FILE_TIMEOUT_MS : TIMEOUT_MS),
  });
  noteClock(response.headers.get("Date"));
  if (response.ok && as === "blob") return { status: response.status, answer: await response.blob() };
  const answer = await readAnswer(response);
  if (response.ok) return { status: response.status, answer };
  throw new ApiError(response.status, answer ?? {}, Number(response.headers.get("Retry-After")) || undefined);
}

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch {
    throw new Unreachable();
  }
}

async function readAnswer(response) {
  try {
    const text = await response.text();
    return text ? JSON.parse(text) : null;
  } catch {
    if (response.ok) throw new Unreachable();
    return null;
  }
}

function noteClock(date) {
  const server = Date.parse(date ?? "");
  if (!Number.isNaN(server)) clock.ahead = Date.now() - server - 500;
}
