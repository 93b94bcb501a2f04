// The inline part of the Markdown subset: code, bold, italics, struck text, links (http and https only), line breaks,
// and links within an answer: [words](#F12) leads to the **F12** of the same answer.

const DEEPEST = 6;
const ESCAPED = /^[!-/:-@[-`{-~]$/;
const BARE_LINK = /https?:\/\/[^\s<>"'`|\\]{1,2000}/y; // every h may begin one: no longer, and none twice
const WORD = /[\p{L}\p{N}_]/u;
const LONGEST_LINK = 2000;
const WITHIN = /^#([A-Z]\d{1,6})$/;

export function inline(text, depth = 0, vain = new Set()) {
  const made = [];
  let plain = "";
  let at = 0;
  const flush = () => {
    if (plain) made.push({ kind: "text", text: plain });
    plain = "";
  };
  while (at < text.length) {
    const found = READERS[text[at]]?.(text, at, depth, vain);
    if (!found) {
      plain += text[at];
      at += 1;
    } else if (typeof found.node === "string") {
      plain += found.node;
      at = found.next;
    } else {
      flush();
      made.push(found.node);
      at = found.next;
    }
  }
  flush();
  return made;
}

const READERS = {
  "\\": readEscape,
  "`": readCode,
  "*": (text, at, depth, vain) => readStrong(text, at, depth, vain) ?? readSpan(text, at, depth, vain, "*", "emphasis"),
  _: (text, at, depth, vain) => readStrong(text, at, depth, vain) ?? readSpan(text, at, depth, vain, "_", "emphasis"),
  "~": (text, at, depth, vain) => readSpan(text, at, depth, vain, "~~", "struck"),
  "[": readLink,
  "<": readAngleLink,
  h: readBareLink,
  "\n": (text, at) => (text[at - 1] === " " && text[at - 2] === " " ? { node: { kind: "break" }, next: at + 1 } : null),
};

function readEscape(text, at) {
  const next = text[at + 1];
  if (next === "\n") return { node: { kind: "break" }, next: at + 2 };
  return next !== undefined && ESCAPED.test(next) ? { node: next, next: at + 2 } : null;
}

function readCode(text, at, depth, vain) {
  let run = 1;
  while (text[at + run] === "`") run += 1;
  const mark = "`".repeat(run);
  const isAlone = (found) => text[found - 1] !== "`" && text[found + run] !== "`";
  const end = vain.has(mark) ? -1 : closing(text, mark, at + run, isAlone);
  if (end === -1) {
    vain.add(mark);
    return { node: mark, next: at + run };
  }
  const inside = text.slice(at + run, end).replaceAll("\n", " ");
  const padded = inside.startsWith(" ") && inside.endsWith(" ") && inside.trim() !== "";
  const code = padded ? inside.slice(1, -1) : inside;
  return { node: { kind: "inline-code", text: code }, next: end + run };
}

function readStrong(text, at, depth, vain) {
  const mark = text[at].repeat(2);
  return text.startsWith(mark, at) ? readSpan(text, at, depth, vain, mark, "strong") : null;
}

// A span opens before a letter and closes after one; with underscores never inside a word, as in snake_case_names.
function readSpan(text, at, depth, vain, mark, kind) {
  if (depth >= DEEPEST || vain.has(mark) || !text.startsWith(mark, at)) return null;
  const start = at + mark.length;
  const inWord = (place) => mark[0] === "_" && WORD.test(text[place] ?? " ");
  if (/^\s?$/.test(text[start] ?? "") || inWord(at - 1)) return null;
  const fits = (found) =>
    found > start && !/\s/.test(text[found - 1]) && !inWord(found + mark.length) && isWholeMark(text, found, mark);
  const end = closing(text, mark, start, fits);
  if (end === -1) {
    vain.add(mark);
    return null;
  }
  return { node: { kind, children: inline(text.slice(start, end), depth + 1) }, next: end + mark.length };
}

function isWholeMark(text, found, mark) {
  if (mark.length === 1) return text[found + 1] !== mark && text[found - 1] !== mark;
  return text[found + 2] !== mark[0];
}

// Looks only so far: a text of nothing but brackets must not cost the square of its length.
function near(text, mark, from) {
  const found = text.slice(from, from + LONGEST_LINK).indexOf(mark);
  return found === -1 ? -1 : from + found;
}

function closing(text, mark, from, fits) {
  for (let found = text.indexOf(mark, from), tries = 0; found !== -1 && tries < 50; tries += 1) {
    if (fits(found)) return found;
    found = text.indexOf(mark, found + 1);
  }
  return -1;
}

function readLink(text, at, depth) {
  if (depth >= DEEPEST) return null;
  const middle = near(text, "](", at);
  const end = middle === -1 ? -1 : near(text, ")", middle);
  if (end === -1) return null;
  const target = text.slice(middle + 2, end).trim().split(/\s/)[0];
  const label = text.slice(at + 1, middle);
  if (label.includes("\n\n")) return null;
  const mark = WITHIN.exec(target)?.[1];
  if (mark) return { node: { kind: "jump", mark, children: inline(label, DEEPEST) }, next: end + 1 };
  const url = safeUrl(target);
  if (!url) return null;
  return { node: { kind: "link", url, children: inline(label, DEEPEST) }, next: end + 1 };
}

function readAngleLink(text, at) {
  const end = near(text, ">", at);
  if (end === -1) return null;
  const shown = text.slice(at + 1, end);
  const url = /\s/.test(shown) ? null : safeUrl(shown);
  return url ? plainLink(url, shown, end + 1) : null;
}

function readBareLink(text, at) {
  if (WORD.test(text[at - 1] ?? " ")) return null;
  BARE_LINK.lastIndex = at;
  const found = BARE_LINK.exec(text)?.[0].replace(/[.,;:!?*_~)\]}]+$/, "");
  if (!found) return null;
  const url = safeUrl(found);
  return url ? plainLink(url, found, at + found.length) : { node: found, next: at + found.length };
}

function plainLink(url, shown, next) {
  return { node: { kind: "link", url, children: [{ kind: "text", text: shown }] }, next };
}

function safeUrl(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}
