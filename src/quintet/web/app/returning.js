// Back from a provider: the address says how it went, with a word and nothing secret. It is read once and taken away.

const WORDS = {
  forbidden: "That sign-in did not work out: it was refused, or it took too long. Begin again.",
  email_taken: "You have an account here with this address. Sign in to it, then link the provider in the settings.",
  conflict: "That account elsewhere is linked to another account here.",
  session_revoked: "You were signed out meanwhile, so nothing was linked.",
  unavailable: "The provider does not answer just now. Try again in a moment.",
};
const OTHERWISE = "The provider's answer could not be believed. Begin again.";

export function returned() {
  const told = new URLSearchParams(location.search);
  const [how] = ["entered", "linked", "refused"].filter((name) => told.has(name));
  if (!how) return null;
  history.replaceState(null, "", location.pathname + location.hash);
  if (how === "refused") return { how, word: WORDS[told.get(how)] ?? OTHERWISE };
  return { how, word: how === "linked" ? "Linked. You can sign in with it from now on." : "" };
}
