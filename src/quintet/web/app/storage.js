// The browser's two small stores, where they exist. A private window may refuse them: then things live in memory.

function safe(pick) {
  const kept = new Map();
  const store = () => {
    try {
      return pick();
    } catch {
      return null;
    }
  };
  return {
    get(key) {
      try {
        return store()?.getItem(key) ?? kept.get(key) ?? null;
      } catch {
        return kept.get(key) ?? null;
      }
    },
    set(key, value) {
      kept.set(key, value);
      try {
        store()?.setItem(key, value);
      } catch {
        // Full or forbidden: the copy in memory is what is left.
      }
    },
    remove(key) {
      kept.delete(key);
      try {
        store()?.removeItem(key);
      } catch {
        // As above.
      }
    },
  };
}

export const forBrowser = safe(() => window.localStorage);
export const forTab = safe(() => window.sessionStorage);

export function readJson(store, key, fallback) {
  try {
    return JSON.parse(store.get(key)) ?? fallback;
  } catch {
    return fallback;
  }
}
