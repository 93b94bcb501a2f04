// Bytes as a file of the person's: what the browser calls a download.

import { el } from "./dom.js";

const KEPT_MS = 60_000;

export function saveAs(blob, name) {
  const address = URL.createObjectURL(blob);
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
}
