// Shortcuts: a table and one look-up. Single keys work only outside of fields, and can be switched off (WCAG 2.1.4).

import { pref } from "./prefs.js";

export const SHORTCUTS = [
  { keys: ["?"], does: "shortcuts", word: "This list" },
  { keys: ["/"], does: "search", word: "Search conversations" },
  { keys: ["Ctrl", "K"], does: "search", word: "Search conversations, from anywhere", always: true },
  { keys: ["N"], does: "fresh", word: "New conversation" },
  { keys: ["J"], does: "next", word: "Next conversation" },
  { keys: ["K"], does: "previous", word: "Previous conversation" },
  { keys: ["M"], does: "write", word: "Write a message" },
  { keys: ["A"], does: "attach", word: "Attach files" },
  { keys: ["O"], does: "story", word: "Open or fold the last story" },
  { keys: ["E"], does: "raw", word: "Events of the last run" },
  { keys: ["C"], does: "copy", word: "Copy the last answer" },
  { keys: ["X"], does: "stop", word: "Stop what is running here" },
  { keys: ["F2"], does: "rename", word: "Rename this conversation", always: true },
  { keys: ["D"], does: "remove", word: "Delete this conversation" },
  { keys: ["S"], does: "settings", word: "Settings" },
];

const BY_KEY = new Map(SHORTCUTS.map((shortcut) => [shortcut.keys.join("+").toLowerCase(), shortcut]));

export function listenForKeys(actions, signal) {
  const pressed = (event) => {
    if (event.defaultPrevented || event.isComposing || event.altKey || document.querySelector("dialog[open]")) return;
    const shortcut = BY_KEY.get(nameOf(event));
    if (!shortcut || (!shortcut.always && !maySingle(event))) return;
    event.preventDefault();
    actions[shortcut.does]();
  };
  document.addEventListener("keydown", pressed, { signal });
}

function nameOf(event) {
  const key = event.key.toLowerCase();
  return event.ctrlKey || event.metaKey ? `ctrl+${key}` : key;
}

// A field of a window that has just closed keeps the focus until the browser draws again: nobody writes there any more.
function maySingle(event) {
  const field = event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  return pref("keys") === "on" && (!field || field.closest("dialog:not([open])") !== null);
}
