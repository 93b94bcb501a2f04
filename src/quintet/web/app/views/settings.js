// The settings, by what they are about: who one is, how one signs in, from where, with which programs, and the data.

import { button, div, el, setText } from "../dom.js";
import { pref, setPref } from "../prefs.js";
import { wordFor } from "../words.js";
import { addressForm } from "./address.js";
import { ApiKeys } from "./apikeys.js";
import { Activity } from "./activity.js";
import { Devices } from "./devices.js";
import { Dialog } from "./dialog.js";
import { Factor } from "./factor.js";
import { Keychain } from "./keychain.js";
import { Linked } from "./linked.js";
import { copyPanel, leavingPanel } from "./leaving.js";
import { passwordForm } from "./password.js";
import { Tabs } from "./tabs.js";

const CHOICES = [
  [
    "theme",
    "Colours",
    [
      ["auto", "Auto"],
      ["light", "Light"],
      ["dark", "Dark"],
    ],
  ],
  [
    "send",
    "Send with",
    [
      ["enter", "Enter"],
      ["ctrl", "Ctrl + Enter"],
    ],
  ],
  [
    "keys",
    "Single-key shortcuts",
    [
      ["on", "On"],
      ["off", "Off"],
    ],
  ],
];

export function openSettings({ session, onUser, onShortcuts }) {
  const dialog = new Dialog({ title: "Settings", name: "settings" });
  const devices = new Devices(session);
  const keychain = new Keychain(session);
  const factor = new Factor(session);
  const apiKeys = new ApiKeys(session);
  const linked = new Linked(session);
  const activity = new Activity(session);
  const keys = button(
    "Show all shortcuts",
    () => {
      dialog.close();
      onShortcuts();
    },
    { class: "link" },
  );
  const looks = [
    ...CHOICES.map(choice),
    el("p", { class: "note" }, "Movement follows what your system is set to. ", keys),
  ];
  const password = passwordForm(session, () => devices.load());
  const profile = [
    section("You", nameForm(session, onUser)),
    section("Address", addressForm(session)),
    section("This browser", ...looks),
    session.user.role === "admin" && section("Administration", toAdministration()),
  ];
  const entering = [
    section("Password", password),
    section("Passkeys", keychain.node),
    section("Second factor", factor.node),
    section("Accounts elsewhere", linked.node),
  ];
  const leaving = [section("Your data", copyPanel(session)), section("Leaving", leavingPanel(session))];
  const tabs = new Tabs("Settings", [
    { name: "profile", title: "Profile", parts: profile.filter(Boolean) },
    { name: "sign-in", title: "Sign-in", parts: entering },
    {
      name: "devices",
      title: "Devices",
      parts: [section("Devices", devices.node), section("Recent activity", activity.node)],
    },
    { name: "keys", title: "API keys", parts: [section("API keys", apiKeys.node)] },
    { name: "data", title: "Data", parts: leaving },
  ]);
  dialog.body.append(tabs.node);
  dialog.open();
  for (const panel of [devices, keychain, factor, linked, apiKeys, activity]) panel.load();
}

function toAdministration() {
  const link = el("a", { href: "/admin" }, "Users, their sessions, and what runs");
  return el("p", {}, link);
}

function section(title, ...inside) {
  return el("section", { class: "setting" }, el("h3", {}, title), div("setting-body", inside));
}

function choice([name, title, options]) {
  const made = options.map(([value, word]) => {
    const on = { change: () => setPref(name, value) };
    const input = el("input", { type: "radio", name: `pref-${name}`, value, checked: pref(name) === value, on });
    return el("label", { class: "segment" }, input, el("span", {}, word));
  });
  return el("fieldset", { class: "choice" }, el("legend", {}, title), div("segments", made));
}

function nameForm(session, onUser) {
  const { user } = session;
  const word = el("p", { class: "note", role: "status" });
  const box = el("input", { id: "own-name", class: "box", maxlength: 100, autocomplete: "name" });
  box.value = user.name ?? "";
  const save = async () => {
    const name = box.value.trim();
    if (!name) return setText(word, "Write a name first.");
    try {
      onUser(await session.call("PATCH", "/v1/auth/me", { name }));
      return setText(word, "Saved.");
    } catch (error) {
      return setText(word, wordFor(error));
    }
  };
  const submit = (event) => {
    event.preventDefault();
    save();
  };
  const keep = el("button", { type: "submit", class: "soft" }, "Save");
  const form = el(
    "form",
    { class: "line-form", on: { submit } },
    el("label", { for: "own-name" }, "Name"),
    div("line", box, keep),
  );
  return div("own", form, word, el("p", { class: "note" }, `Signed in as ${user.email}`));
}
