// What a person wrote. A pasted report is shown as it was pasted, in a terminal's letters, folded to its first lines.

import { el } from "../dom.js";
import { byteLength, count, kib } from "../format.js";

const LINES_SHOWN = 12;
const LONG_LINES = 16;
const LONG_LETTERS = 1600;

export function written(text) {
  const lines = text.split("\n");
  if (lines.length <= LONG_LINES && text.length <= LONG_LETTERS) {
    return [el("div", { class: isReport(lines) ? "bubble report" : "bubble" }, text)];
  }
  return [folded(text, lines)];
}

function folded(text, lines) {
  const body = el("pre", { class: "report-text", tabindex: 0, "aria-label": "What you wrote" });
  const size = `${count(lines.length, "line", "lines")}, ${kib(byteLength(text))}`;
  const button = el("button", { type: "button", class: "quiet", "aria-expanded": "false" });
  const draw = (open) => {
    body.textContent = open ? text : `${lines.slice(0, LINES_SHOWN).join("\n").slice(0, LONG_LETTERS)}`;
    body.classList.toggle("is-folded", !open);
    button.setAttribute("aria-expanded", String(open));
    button.textContent = open ? "Show less" : `Show all (${size})`;
  };
  button.addEventListener("click", () => draw(button.getAttribute("aria-expanded") === "false"));
  draw(false);
  return el("div", { class: "bubble report" }, body, button);
}

function isReport(lines) {
  return lines.length > 4 && lines.some((line) => /^[=_-]{5,}|^E {2}|Error\b|FAILED|Traceback/.test(line));
}
