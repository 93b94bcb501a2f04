// The administrator's page. It uses the session of the chat in the same browser; who is no administrator is told so.

import { keepNothing } from "../kept.js";
import { applyPrefs } from "../prefs.js";
import { Session } from "../session.js";
import { div, el } from "../dom.js";
import { wordFor } from "../words.js";
import { Desk } from "./desk.js";

const root = document.querySelector("#app");
const session = new Session();

session.onSignedOut = (reason) => away(reason || "You are signed out.");
session.onOtherUser = () => location.reload();
session.onSignedInElsewhere = () => begin();

function away(sentence) {
  const back = el("a", { href: "/" }, "To the chat");
  root.replaceChildren(el("main", { class: "desk-away" }, el("h1", {}, "Administration"), el("p", {}, sentence), back));
}

async function begin() {
  if (!session.mayBeSignedIn) return away("Sign in first, in the chat.");
  try {
    await session.restore();
  } catch (error) {
    return away(wordFor(error));
  }
  if (session.user.role !== "admin") return away("This page is for administrators.");
  const desk = new Desk(session);
  root.replaceChildren(div("", desk.node));
  return desk.load();
}

keepNothing();
applyPrefs();
begin();
