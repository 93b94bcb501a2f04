// The account as a whole: taken along as one file, or deleted for good.

import { button, div, el, setText } from "../dom.js";
import { saveAs } from "../saving.js";
import { wordFor } from "../words.js";
import { clear, refused } from "./boxes.js";
import { Dialog } from "./dialog.js";
import { passwordBox } from "./factor.js";

const FILE = "One file (JSON) with all that this server keeps of you: conversations, events, sessions, what you did.";
const GOES = "Your conversations, files, events and everything else of yours go at once. Nobody can bring them back.";

export function copyPanel(session) {
  const word = el("p", { class: "note", role: "status" });
  const save = async () => {
    setText(word, "The file is being made…");
    try {
      saveAs(await session.call("GET", "/v1/auth/me/export", undefined, "blob"), "quintet-export.json");
      setText(word, "The file has everything that this server keeps of you.");
    } catch (error) {
      setText(word, wordFor(error));
    }
  };
  const ask = button("Save my data", save, { class: "soft", shape: "load" });
  return div("own", el("p", { class: "note" }, FILE), div("line", ask), word);
}

export function leavingPanel(session) {
  const ask = button("Delete my account…", () => askToDelete(session), { class: "danger" });
  return div("own", el("p", { class: "note" }, GOES), div("line", ask));
}

function askToDelete(session) {
  const dialog = new Dialog({ title: "Delete your account?", name: "small" });
  const password = passwordBox("delete-password");
  const keep = button("Cancel", () => dialog.close(), { class: "soft" });
  const sure = el("button", { type: "submit", class: "danger" }, "Delete for good");
  const drop = async () => {
    clear(password);
    sure.disabled = true;
    try {
      await session.deleteAccount(password.input.value);
      dialog.close();
    } catch (error) {
      refused(password, error);
    } finally {
      sure.disabled = false;
    }
  };
  const on = { submit: (event) => (event.preventDefault(), drop()) };
  const foot = div("dialog-foot", keep, sure);
  dialog.body.append(
    el("p", {}, GOES),
    el("form", { class: "password-form", novalidate: true, on }, password.node, foot),
  );
  dialog.open(password.input);
}
