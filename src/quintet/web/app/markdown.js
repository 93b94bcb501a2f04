// Reads a safe subset of Markdown into a tree of plain objects: {kind, …}. It builds nothing; markup.js does.
// Whatever is not in the subset stays text, HTML first of all.
// Linear in practice: a delimiter that was once looked for in vain is not looked for again, and nesting has a bound.

import { inline } from "./inline.js";

const DEEPEST = 8;
const LONGEST_MARK = 1000; // a longer line is no fence and no table divider
const FENCE = /^ {0,3}(`{3,}|~{3,})([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/;
const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(?:[ \t]+|$)/;
const QUOTE = /^ {0,3}> ?/;
const DIVIDER = /^\|? *:?-+:? *(?:\| *:?-+:? *)*\|?$/;
const BLANK = /^\s*$/;

export function parse(text) {
  return blocks(text.replaceAll("\r\n", "\n").replaceAll("\t", "    ").split("\n"), 0);
}

// Each block knows the lines it was made of (`raw`), so that a growing text is drawn anew only where it grew.
function blocks(lines, depth) {
  const made = [];
  let at = 0;
  while (at < lines.length) {
    if (BLANK.test(lines[at])) {
      at += 1;
      continue;
    }
    const [block, next] = readBlock(lines, at, depth);
    made.push({ ...block, raw: lines.slice(at, next).join("\n") });
    at = next;
  }
  return made;
}

function readBlock(lines, at, depth) {
  const deeper = depth < DEEPEST;
  const fence = lines[at].length < LONGEST_MARK && FENCE.exec(lines[at]);
  if (fence) return readFence(lines, at, fence);
  const heading = HEADING.exec(lines[at]);
  if (heading) return [readHeading(heading), at + 1];
  if (RULE.test(lines[at])) return [{ kind: "rule" }, at + 1];
  if (deeper && QUOTE.test(lines[at])) return readQuote(lines, at, depth);
  if (deeper && ITEM.test(lines[at])) return readList(lines, at, depth);
  if (isTable(lines, at)) return readTable(lines, at);
  return readParagraph(lines, at, deeper);
}

function readHeading([, marks, text = ""]) {
  const title = text.trim();
  const end = title.lastIndexOf(" ") + 1;
  const closed = end > 0 && title[end] === "#" && [...title.slice(end)].every((mark) => mark === "#");
  return { kind: "heading", level: marks.length, children: inline(closed ? title.slice(0, end).trimEnd() : title) };
}

function readFence(lines, at, [, mark, info]) {
  let end = at + 1;
  const closes = (line) => line.trim().length >= mark.length && line.trim() === mark[0].repeat(line.trim().length);
  while (end < lines.length && !closes(lines[end])) end += 1;
  const [language] = info.trim().split(" ", 1);
  return [{ kind: "code", language, text: lines.slice(at + 1, end).join("\n") }, Math.min(end + 1, lines.length)];
}

function readQuote(lines, at, depth) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  const inside = lines.slice(at, end).map((line) => line.replace(QUOTE, ""));
  return [{ kind: "quote", children: blocks(inside, depth + 1) }, end];
}

function readList(lines, at, depth) {
  const ordered = /\d/.test(ITEM.exec(lines[at])[2]);
  const items = [];
  let end = at;
  for (let item = ITEM.exec(lines[end] ?? ""); item; item = ITEM.exec(lines[end] ?? "")) {
    if (/\d/.test(item[2]) !== ordered || RULE.test(lines[end])) break;
    const next = endOfItem(lines, end, item[0].length);
    items.push(itemBlocks(lines.slice(end, next), item[0].length, depth));
    end = next;
  }
  const start = ordered ? Number.parseInt(ITEM.exec(lines[at])[2], 10) : undefined;
  return [{ kind: "list", ordered, start, items }, end];
}

// An item goes on over lines that are indented under its text, blank lines between them included.
function endOfItem(lines, at, width) {
  let end = at + 1;
  for (let look = end; look < lines.length; look += 1) {
    if (BLANK.test(lines[look])) continue;
    const indented = indentOf(lines[look]) >= Math.min(width, 2);
    const lazy = look === end && !startsBlock(lines[look]);
    if (!indented && !lazy) break;
    end = look + 1;
  }
  while (end < lines.length && BLANK.test(lines[end])) end += 1;
  return end;
}

function itemBlocks(lines, width, depth) {
  const first = lines[0].slice(width);
  const rest = lines.slice(1).map((line) => line.slice(Math.min(indentOf(line), width)));
  return blocks([first, ...rest], depth + 1);
}

function indentOf(line) {
  return line.length - line.trimStart().length;
}

function startsBlock(line) {
  return [FENCE, HEADING, RULE, QUOTE, ITEM].some((shape) => shape.test(line));
}

function isTable(lines, at) {
  const divider = (lines[at + 1] ?? "").trim();
  if (divider.length > LONGEST_MARK || lines[at].length > 8 * LONGEST_MARK) return false;
  return lines[at].includes("|") && DIVIDER.test(divider) && cells(lines[at]).length === cells(divider).length;
}

function readTable(lines, at) {
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|") && !BLANK.test(lines[end])) end += 1;
  const head = cells(lines[at]).map(inline);
  const align = cells(lines[at + 1]).map(alignment);
  const rows = lines.slice(at + 2, end).map((line) => {
    const row = cells(line);
    return head.map((_, column) => inline(row[column] ?? ""));
  });
  return [{ kind: "table", head, align, rows }, end];
}

function alignment(cell) {
  if (!cell.endsWith(":")) return "left";
  return cell.startsWith(":") ? "center" : "right";
}

function cells(line) {
  const inner = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function readParagraph(lines, at, deeper) {
  let end = at + 1;
  while (end < lines.length && !BLANK.test(lines[end]) && !(deeper && startsBlock(lines[end]))) {
    if (isTable(lines, end)) break;
    end += 1;
  }
  const text = lines.slice(at, end).map((line) => line.replace(/^ +/, "")).join("\n");
  return [{ kind: "paragraph", children: inline(text.trimEnd()) }, end];
}
