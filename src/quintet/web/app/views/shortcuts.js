// The list of shortcuts, as `?` shows it.

import { div, el } from "../dom.js";
import { SHORTCUTS } from "../keys.js";
import { Dialog } from "./dialog.js";

const IN_THE_FIELD = [
  [["Enter"], "Send the message (or Ctrl + Enter, as set)"],
  [["Shift", "Enter"], "A new line"],
  [["Esc"], "Leave the field, so that single keys work"],
];

export function openShortcuts() {
  const dialog = new Dialog({ title: "Keyboard shortcuts", name: "small", isText: true });
  const shown = SHORTCUTS.map(({ keys, word }) => [keys, word]);
  dialog.body.append(table("Anywhere but in a field", shown), table("While writing", IN_THE_FIELD));
  dialog.open();
}

function table(title, rows) {
  const lines = rows.map(([keys, word]) =>
    el(
      "div",
      {},
      el(
        "dt",
        {},
        keys.map((key) => el("kbd", {}, key)),
      ),
      el("dd", {}, word),
    ),
  );
  return div("keys", el("h3", {}, title), el("dl", {}, lines));
}
