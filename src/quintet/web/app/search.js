// Finds conversations by their titles and by what was said in them, as far as it is loaded here.

const MOST_FOUND = 50;
const BEFORE = 12; // few: the line is short, and the hit itself must be seen
const AFTER = 60;

export function search(model, query) {
  const wanted = query.trim().toLowerCase();
  const found = [];
  for (const thread of model.threadsByTime()) {
    const hit = hitIn(model, thread, wanted);
    if (hit) found.push({ thread, ...hit });
    if (found.length === MOST_FOUND) break;
  }
  return found;
}

function hitIn(model, thread, wanted) {
  if (model.titleOf(thread).toLowerCase().includes(wanted)) return { excerpt: null };
  for (const run of model.runsOf(thread.id)) {
    for (const text of [run.text, run.answer.text]) {
      const at = text.toLowerCase().indexOf(wanted);
      if (at !== -1) return { excerpt: excerptOf(text, at, wanted.length) };
    }
  }
  return null;
}

function excerptOf(text, at, length) {
  const flat = (part) => part.replace(/\s+/g, " ");
  const before = flat(text.slice(Math.max(0, at - BEFORE), at));
  const after = flat(text.slice(at + length, at + length + AFTER));
  return { before: at > BEFORE ? `…${before}` : before, hit: flat(text.slice(at, at + length)), after };
}
