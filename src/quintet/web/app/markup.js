// Draws the tree of markdown.js, and keeps what is already drawn: of a growing text only the last blocks change.

import { el, icon } from "./dom.js";
import { parse } from "./markdown.js";

export function drawMarkdown(box, text) {
  const made = parse(text);
  const drawn = (box.drawn ??= []);
  let same = 0;
  while (same < made.length && drawn[same]?.raw === made[same].raw && drawn[same].kind === made[same].kind) same += 1;
  for (const old of drawn.splice(same)) old.node.remove();
  for (const block of made.slice(same)) {
    const node = drawBlock(block);
    box.append(node);
    drawn.push({ raw: block.raw, kind: block.kind, node });
  }
}

function drawBlock(block) {
  return BLOCKS[block.kind](block);
}

const BLOCKS = {
  paragraph: ({ children }) => el("p", {}, children.map(drawInline)),
  // The page has h1, a turn has h2: an answer's headings come below them.
  heading: ({ level, children }) => el(`h${Math.min(6, level + 2)}`, { class: `h-${level}` }, children.map(drawInline)),
  rule: () => el("hr"),
  quote: ({ children }) => el("blockquote", {}, children.map(drawBlock)),
  code: ({ language, text }) => drawCode(language, text),
  list: ({ ordered, start, items }) =>
    el(ordered ? "ol" : "ul", { start: start > 1 ? start : null }, items.map((item) => el("li", {}, drawItem(item)))),
  table: drawTable,
};

// A list of single lines is drawn tight, without a paragraph in each item.
function drawItem(item) {
  return item.map((block, n) => (block.kind === "paragraph" && n === 0 ? el("span", {}, block.children.map(drawInline)) : drawBlock(block)));
}

function drawTable({ head, align, rows }) {
  const cell = (tag) => (children, column) => el(tag, { class: `align-${align[column] ?? "left"}` }, children.map(drawInline));
  const scroll = { class: "table-scroll", tabindex: 0, role: "group", "aria-label": "Table" };
  return el(
    "div",
    scroll,
    el("table", {}, el("thead", {}, el("tr", {}, head.map(cell("th")))), el("tbody", {}, rows.map((row) => el("tr", {}, row.map(cell("td")))))),
  );
}

function drawCode(language, text) {
  const pre = el("pre", { tabindex: 0 }, el("code", {}, text));
  return el("figure", { class: "code" }, el("figcaption", {}, el("span", {}, language || "text"), copyButton(() => text)), pre);
}

export function copyButton(read, word = "Copy") {
  const label = el("span", { class: "copy-word" }, word);
  const copy = async () => {
    await navigator.clipboard?.writeText(read());
    label.textContent = "Copied";
    setTimeout(() => (label.textContent = word), 1600);
  };
  return el("button", { type: "button", class: "quiet copy", on: { click: () => copy().catch(() => {}) } }, icon("copy"), label);
}

const INLINES = {
  text: ({ text }) => document.createTextNode(text),
  break: () => el("br"),
  "inline-code": ({ text }) => el("code", {}, text),
  strong: ({ children }) => el("strong", {}, children.map(drawInline)),
  emphasis: ({ children }) => el("em", {}, children.map(drawInline)),
  struck: ({ children }) => el("s", {}, children.map(drawInline)),
  link: ({ url, children }) =>
    el("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow" }, children.map(drawInline)),
};

function drawInline(node) {
  return INLINES[node.kind](node);
}
