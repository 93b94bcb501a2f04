// The files of a message that is being written: name, size, how far it is, what is wrong, and a way to take it off.

import { button, div, el, icon, setText, show, span } from "../dom.js";
import { kib } from "../format.js";
import { accepts, isPicture, kindsOf } from "../media.js";
import { drawPicture } from "./picture.js";

export class Chips {
  constructor({ onKeepText }) {
    Object.assign(this, { onKeepText, views: new Map() });
    this.node = el("ul", { class: "chips", "aria-label": "Attached files", hidden: true });
  }

  update(tray, agent) {
    const wanted = new Set(tray.items);
    for (const [item, view] of this.views) {
      if (wanted.has(item)) continue;
      view.node.remove();
      this.views.delete(item);
    }
    for (const item of tray.items) {
      if (!this.views.has(item)) this.add(item, tray);
      this.views.get(item).update(unfit(item, agent));
    }
    show(this.node, tray.items.length > 0);
  }

  add(item, tray) {
    const view = new Chip(item, tray, () => this.onKeepText(item));
    this.views.set(item, view);
    this.node.append(view.node);
  }
}

// Why the agent that is chosen does not take a file, or "".
export function unfit({ type }, { name, accepted }) {
  if (!accepted || accepts(accepted, type)) return "";
  return accepted.length === 0 ? `${name} takes no files.` : `${name} takes ${kindsOf(accepted)} only.`;
}

class Chip {
  constructor(item, tray, keepText) {
    Object.assign(this, { item, drawn: "" });
    this.word = span("chip-word");
    this.bar = el("progress", { max: 1, value: 0, "aria-label": `Uploading ${item.name}` });
    this.again = button("Try again", () => tray.start(item), { class: "quiet", hidden: true });
    const keep = item.text !== undefined && button("Keep as text", keepText, { class: "quiet" });
    const off = { class: "quiet tool", shape: "cross", "aria-label": `Remove ${item.name}` };
    const name = el("span", { class: "chip-name", title: item.name }, item.name);
    this.picture = span("chip-picture", icon("file"));
    const words = span("chip-words", name, this.word);
    const parts = [this.picture, words, this.bar, this.again, keep || null, button("", () => tray.remove(item), off)];
    this.node = el("li", { class: "chip" }, parts);
    if (isPicture(item.type) && item.source) drawPicture(this.picture, item.source);
  }

  update(misfit) {
    const { state, progress, fault, size, mayRetry } = this.item;
    const wrong = fault || misfit;
    this.node.classList.toggle("is-fault", Boolean(wrong));
    show(this.bar, state === "uploading");
    this.bar.value = progress ?? 1;
    show(this.again, state === "failed" && mayRetry === true);
    setText(
      this.word,
      wrong || (state === "uploading" ? `${Math.round(progress * 100)} % of ${kib(size)}` : kib(size)),
    );
  }
}

export function dropTarget({ node, onFiles, signal }) {
  const veil = div("drop-veil", div("drop-word", icon("clip"), "Drop files to attach them"));
  let depth = 0;
  const has = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const turn = (by) => {
    depth = Math.max(0, depth + by);
    veil.classList.toggle("is-over", depth > 0);
  };
  const listen = (type, work) =>
    node.addEventListener(type, (event) => has(event) && (event.preventDefault(), work(event)), { signal });
  listen("dragenter", () => turn(1));
  listen("dragover", () => {});
  listen("dragleave", () => turn(-1));
  listen("drop", (event) => {
    turn(-depth);
    onFiles([...event.dataTransfer.files]);
  });
  return veil;
}
