// Draws the tree of markdown.js, and keeps what is already drawn: of a growing text only the last blocks change.

import { button, el, span } from "./dom.js";
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
  const [first, ...rest] = item;
  if (first?.kind !== "paragraph") return item.map(drawBlock);
  return [el("span", {}, first.children.map(drawInline)), ...rest.map(drawBlock)];
}

function drawTable({ head, align, rows }) {
  const cell = (tag) => (children, column) =>
    el(tag, { class: `align-${align[column] ?? "left"}` }, children.map(drawInline));
  // A head without words heads nothing: to a screen reader it is a cell like others.
  const tagOf = (tag, children) => (children.length === 0 ? "td" : tag);
  const line = (tag, row) => el("tr", {}, row.map((children, column) => cell(tagOf(tag, children))(children, column)));
  const scroll = { class: "table-scroll", tabindex: 0, role: "group", "aria-label": "Table" };
  const body = rows.map((row) => line("td", row));
  return el("div", scroll, el("table", {}, el("thead", {}, line("th", head)), el("tbody", {}, body)));
}

function drawCode(language, text) {
  const pre = el("pre", { tabindex: 0 }, el("code", {}, text));
  const caption = el("figcaption", {}, el("span", {}, language || "text"), copyButton(() => text));
  return el("figure", { class: "code" }, caption, pre);
}

export function copyButton(read, word = "Copy") {
  const label = span("copy-word", word);
  const copy = async () => {
    await navigator.clipboard?.writeText(read());
    label.textContent = "Copied";
    setTimeout(() => (label.textContent = word), 1600);
  };
  return button(label, () => copy().catch(() => {}), { class: "quiet copy", shape: "copy" });
}

const INLINES = {
  text: ({ text }) => document.createTextNode(text),
  break: () => el("br"),
  "inline-code": ({ text }) => el("code", {}, text),
  strong: drawStrong,
  jump: drawJump,
  emphasis: ({ children }) => el("em", {}, children.map(drawInline)),
  struck: ({ children }) => el("s", {}, children.map(drawInline)),
  link: ({ url, children }) =>
    el("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow" }, children.map(drawInline)),
};

// A mark like F12 is what the links of its answer lead to.
function drawStrong({ children }) {
  const mark = children.length === 1 && /^[A-Z]\d{1,6}$/.test(children[0].text ?? "") ? children[0].text : null;
  return el("strong", { "data-mark": mark, tabindex: mark ? -1 : null }, children.map(drawInline));
}

function drawJump({ mark, children }) {
  const jump = (event) => {
    event.preventDefault(); // the address belongs to the conversation
    const from = event.currentTarget;
    const marks = from.closest(".prose")?.querySelectorAll(`[data-mark="${mark}"]`) ?? [];
    // One line may speak for two causes: the nearest one above is that of the cause which is being read.
    const above = [...marks].filter((one) => one.compareDocumentPosition(from) & Node.DOCUMENT_POSITION_FOLLOWING);
    const found = above.at(-1) ?? marks[0];
    found?.scrollIntoView({ block: "center" });
    found?.focus({ preventScroll: true });
  };
  return el("a", { href: `#${mark}`, class: "jump", on: { click: jump } }, children.map(drawInline));
}

function drawInline(node) {
  return INLINES[node.kind](node);
}
