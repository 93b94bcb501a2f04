// A browser may keep a page that was left, and show it again with "back" to whoever sits there then: what it keeps is
// empty, and coming back begins anew, as whoever is signed in by then.

export function keepNothing() {
  window.addEventListener("pagehide", (event) => event.persisted && document.body.replaceChildren());
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
}
