// Finds conversations by their titles and by what was said in them, as far as it is loaded here.

const MOST_FOUND = 50;
const AROUND = 28;

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
  const before = flat(text.slice(Math.max(0, at - AROUND), at));
  const after = flat(text.slice(at + length, at + length + 2 * AROUND));
  return { before: at > AROUND ? `…${before}` : before, hit: flat(text.slice(at, at + length)), after };
}
