// What the person has chosen for this browser: colours, which key sends, single keys as shortcuts. Nothing of it says
// who they are, so it outlives a sign-out. Other windows of the browser follow at once.

import { forBrowser, readJson } from "./storage.js";

const KEY = "quintet.preferences";
const CHOICES = { theme: ["auto", "light", "dark"], send: ["enter", "ctrl"], keys: ["on", "off"] };
const GROUNDS = { light: "#faf8f3", dark: "#131614" };
const listeners = new Set();

export function pref(name) {
  const kept = readJson(forBrowser, KEY, {})[name];
  return CHOICES[name].includes(kept) ? kept : CHOICES[name][0];
}

export function setPref(name, value) {
  forBrowser.set(KEY, JSON.stringify({ ...readJson(forBrowser, KEY, {}), [name]: value }));
  applyPrefs();
}

// Told now, and whenever a choice changes here or in another window.
export function onPrefs(listener, signal) {
  listeners.add(listener);
  signal?.addEventListener("abort", () => listeners.delete(listener));
  listener();
}

export function applyPrefs() {
  const theme = pref("theme");
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const meta of document.querySelectorAll("meta[name=theme-color]")) {
    meta.content = GROUNDS[theme] ?? GROUNDS[meta.media.includes("dark") ? "dark" : "light"];
  }
  for (const listener of listeners) listener();
}

window.addEventListener("storage", (event) => event.key === KEY && applyPrefs());
