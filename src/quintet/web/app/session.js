// Who is signed in here.
// 1. The access token lives in memory only; the refresh token is a cookie no script can read.
// 2. Only an answer of 401 signs out. A server that is away is asked again, by whoever needed the token.
// 3. One refresh at a time in the whole browser (a lock), under an attempt id kept until the answer came: a reload in
//    the middle repeats the attempt and gets the same answer.
// 4. All tabs share the cookie, so all tabs share the user: a token of somebody else starts the page afresh.

import { ApiError, Unreachable, call } from "./api.js";
import { deviceName } from "./device.js";
import { answerWithPasskey } from "./passkeys.js";
import { forBrowser } from "./storage.js";

const HINT = "quintet.signed-in";
const BEEN_HERE = "quintet.been-here";
const ATTEMPT = "quintet.refresh-attempt";
const MARGIN_MS = 30_000;
const CONFLICT_TRIES = 12;
const REASONS = {
  session_revoked: "This session was ended. Sign in again.",
  refresh_reused: "This session was ended for safety. Sign in again.",
};

const ABOUT_WHAT_WAS_SENT = new Set(["credentials_wrong", "code_wrong", "passkey_wrong"]);

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class Session {
  constructor() {
    this.user = null;
    this.onSignedOut = () => {};
    this.onOtherUser = () => {};
    this.onSignedInElsewhere = () => {};
    this.access = null;
    this.refreshing = null;
    this.isLeaving = false;
    this.tabs = "BroadcastChannel" in window ? new BroadcastChannel("quintet") : null;
    this.tabs?.addEventListener("message", (message) => this.heard(message.data));
  }

  get mayBeSignedIn() {
    return forBrowser.get(HINT) !== null;
  }

  get hasBeenHere() {
    return forBrowser.get(BEEN_HERE) !== null;
  }

  // How one comes in at this server: who may sign up, whether letters are written. Asked once.
  entrance() {
    this.asked ??= call("GET", "/v1/auth/entrance").then(({ answer }) => answer);
    this.asked.catch(() => (this.asked = null));
    return this.asked;
  }

  // A provider has just signed this browser in; the cookie knows.
  expect() {
    forBrowser.remove(ATTEMPT);
    forBrowser.set(HINT, "1");
  }

  async restore() {
    const token = await this.token();
    this.user = (await call("GET", "/v1/auth/me", { token })).answer;
  }

  async signIn(path, credentials) {
    const asked = Date.now();
    const { status, answer } = await call("POST", path, { body: { ...credentials, device: deviceName() } });
    if (status === 202) return false;
    forBrowser.remove(ATTEMPT);
    this.user = answer.user;
    this.take({ ...answer, asked });
    this.tabs?.postMessage({ signedIn: this.user.id });
    return true;
  }

  async signInByPasskey() {
    const { answer } = await call("POST", "/v1/auth/login/passkey/options");
    return this.signIn("/v1/auth/login/passkey", { credential: await answerWithPasskey(answer.publicKey) });
  }

  async deleteAccount(password) {
    this.isLeaving = true; // as below
    try {
      await this.call("DELETE", "/v1/auth/me", password ? { password } : {});
      await call("POST", "/v1/auth/logout"); // the cookie is worth nothing any more: it goes, too
      this.tabs?.postMessage({ signedOut: true });
      this.drop("");
    } finally {
      this.isLeaving = false;
    }
  }

  async signOut() {
    this.isLeaving = true; // the socket may hear of it first: still nobody has been thrown out
    try {
      await call("POST", "/v1/auth/logout", { token: this.access?.token });
      this.tabs?.postMessage({ signedOut: true });
      this.drop("");
    } finally {
      this.isLeaving = false;
    }
  }

  async token(fresh = false) {
    const isGood = this.access && Date.now() < this.access.until;
    if (isGood && !fresh && !this.refreshing) return this.access.token;
    this.refreshing ??= this.refresh().finally(() => (this.refreshing = null));
    await this.refreshing;
    if (!this.access) throw new Unreachable();
    return this.access.token;
  }

  // How long until half of the token's life is over, in milliseconds: no sooner is a new one worth asking for.
  get untilHalf() {
    return Math.max(0, (this.access?.half ?? 0) - Date.now());
  }

  async refresh() {
    try {
      this.take(await inOneTab(() => askForTokens()));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.drop(REASONS[error.code] ?? "Sign in again.");
      throw error;
    }
  }

  // An authorised call. An expired token is renewed once; a session that was ended signs out.
  async call(method, path, body, as) {
    try {
      return (await call(method, path, { body, as, token: await this.token() })).answer;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401 || ABOUT_WHAT_WAS_SENT.has(error.code)) throw error;
      return (await call(method, path, { body, as, token: await this.token(true) })).answer;
    }
  }

  // A token is as old as its request at the most: however long the answer took, none is sent that may have expired.
  take({ access_token: token, expires_in: seconds, asked }) {
    const owner = subjectOf(token);
    if (this.user && owner && owner !== this.user.id) return this.onOtherUser();
    const half = asked + seconds * 500;
    this.access = { token, half, until: Math.max(half, asked + seconds * 1000 - MARGIN_MS) };
    forBrowser.set(HINT, "1");
    forBrowser.set(BEEN_HERE, "1");
  }

  drop(reason) {
    const was = this.user !== null || this.mayBeSignedIn;
    this.user = null;
    this.access = null;
    forBrowser.remove(HINT);
    forBrowser.remove(ATTEMPT);
    if (was) this.onSignedOut(this.isLeaving ? "" : reason);
  }

  heard({ signedOut, signedIn }) {
    if (signedOut) this.drop("You signed out in another window.");
    else if (signedIn && this.user && signedIn !== this.user.id) this.onOtherUser();
    else if (signedIn && !this.user) this.onSignedInElsewhere();
  }
}

// Without the lock (an old browser) two tabs may still meet: then one gets 409 and asks again with the new cookie.
function inOneTab(work) {
  return navigator.locks ? navigator.locks.request("quintet.refresh", work) : work();
}

async function askForTokens() {
  for (let tries = 1; ; tries += 1) {
    const asked = Date.now();
    try {
      const { answer } = await call("POST", "/v1/auth/refresh", { body: { attempt_id: attemptId() } });
      forBrowser.remove(ATTEMPT);
      return { ...answer, asked };
    } catch (error) {
      if (error.code !== "refresh_conflict" || tries === CONFLICT_TRIES) throw error;
      await pause(300 + Math.random() * 900);
    }
  }
}

function attemptId() {
  const kept = forBrowser.get(ATTEMPT);
  if (kept) return kept;
  const made = randomId();
  forBrowser.set(ATTEMPT, made);
  return made;
}

export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function subjectOf(token) {
  try {
    return JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).sub;
  } catch {
    return null;
  }
}
