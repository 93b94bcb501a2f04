// Begins: restores the session of an earlier visit, or asks to sign in; then the workspace. And back again at sign-out.

import { untilAnswered } from "./backoff.js";
import { applyPrefs } from "./prefs.js";
import { Session } from "./session.js";
import { Speaker } from "./speaker.js";
import { opening } from "./views/opening.js";
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

function leave(reason = "") {
  workspace?.end();
  workspace = null;
  speaker.forget();
  history.replaceState(null, "", location.pathname);
  const view = new SignIn({ session, onSignedIn: enter, reason });
  root.replaceChildren(view.node);
  view.focus();
}

async function signOut() {
  try {
    await session.signOut();
  } catch (error) {
    workspace?.notice.tell(`You are still signed in. ${wordFor(error)}`);
  }
}

applyPrefs();
if (session.mayBeSignedIn) restore();
else leave();
