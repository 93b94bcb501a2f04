// Begins: restores the session of an earlier visit, or asks to sign in; then the workspace. And back again at sign-out.

import { untilAnswered } from "./backoff.js";
import { keepNothing } from "./kept.js";
import { applyPrefs } from "./prefs.js";
import { returned } from "./returning.js";
import { Session } from "./session.js";
import { Speaker } from "./speaker.js";
import { CodeStep } from "./views/code.js";
import { opening } from "./views/opening.js";
import { letterPlace } from "./router.js";
import { Confirming, Forgotten, NewPassword } from "./views/letters.js";
import { SignIn } from "./views/signin.js";
import { Workspace } from "./workspace.js";
import { wordFor } from "./words.js";

const root = document.querySelector("#app");
const speaker = new Speaker(document.querySelector("#speaker"));
const session = new Session();
let workspace = null;

session.onSignedOut = (reason) => leave(reason);
session.onOtherUser = () => location.reload();
session.onSignedInElsewhere = () => restore();

async function restore() {
  const view = opening();
  root.replaceChildren(view.node);
  try {
    await untilAnswered(() => session.restore(), (error) => view.say(wordFor(error)));
    enter();
  } catch (error) {
    if (error.status !== 401) leave(wordFor(error));
  }
}

function enter() {
  workspace?.end();
  workspace = new Workspace(session, speaker, signOut);
  root.replaceChildren(workspace.node);
  workspace.start();
}

function leave(reason = "", how = {}) {
  quit();
  history.replaceState(null, "", location.pathname);
  stand(new SignIn({ session, onSignedIn: enter, onCode: askForCode, onForgot: forgot, reason, ...how }));
}

function askForCode(token) {
  stand(new CodeStep({ session, token, onSignedIn: enter, onBack: (reason) => leave(reason) }));
}

function quit() {
  workspace?.end();
  workspace = null;
  speaker.forget();
}

function stand(view) {
  root.replaceChildren(view.node);
  view.focus();
}

function forgot(email = "") {
  stand(new Forgotten({ email, onBack: begin }));
}

// Where a letter has led. The token stays in this window and goes with the one request that uses it.
function open({ name, token }) {
  if (name === "invite" && session.mayBeSignedIn) return begin();
  quit();
  if (name === "invite") return leave("", { invite: token });
  if (name === "forgot") return forgot();
  if (name === "verify") return stand(new Confirming({ token, onDone: confirmed, onBack: begin }));
  return stand(new NewPassword({ token, onDone: renewed, onForgot: () => forgot(), onBack: begin }));
}

async function confirmed() {
  const word = "Your address is confirmed.";
  if (!session.mayBeSignedIn) return leave(word, { isKnown: true });
  await begin();
  return workspace?.notice.say(word);
}

function renewed() {
  session.drop("");
  leave("Your password is set, and you were signed out everywhere. Sign in with it.", { isKnown: true });
}

function begin() {
  history.replaceState(null, "", location.pathname);
  return session.mayBeSignedIn ? restore() : leave();
}

async function signOut() {
  try {
    await session.signOut();
  } catch (error) {
    workspace?.notice.tell(`You are still signed in. ${wordFor(error)}`);
  }
}

// From a provider: signed in, linked, or refused with a word.
async function comeBack({ how, word }) {
  if (how === "entered") session.expect();
  if (!session.mayBeSignedIn) return leave(word, { isKnown: true });
  await restore();
  return word ? workspace?.notice.tell(word) : undefined;
}

keepNothing();
applyPrefs();
window.addEventListener("hashchange", () => {
  const letter = letterPlace();
  if (letter) open(letter);
});
const back = returned();
if (letterPlace()) open(letterPlace());
else if (back) comeBack(back);
else if (session.mayBeSignedIn) restore();
else leave();
