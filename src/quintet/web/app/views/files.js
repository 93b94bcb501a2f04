// The files that went with a message. Their bytes need the person's token, so a click fetches them and saves what came.

import { button, el, icon, span } from "../dom.js";
import { saveAs } from "../saving.js";
import { kib } from "../format.js";
import { isPicture } from "../media.js";
import { drawPicture } from "./picture.js";

const PICTURES_MOST = 6;

export function files(list, actions) {
  if (!list?.length) return [];
  const items = list.map((file, place) => el("li", {}, fileButton(file, actions, place < PICTURES_MOST)));
  return [el("ul", { class: "files", "aria-label": "Attached files" }, items)];
}

function fileButton(file, actions, mayDraw) {
  const picture = span("chip-picture", icon("file"));
  const words = span("chip-words", span("chip-name", file.name), span("chip-word", kib(file.size)));
  const node = button("", () => save(file, actions, node), {
    class: "file",
    "aria-label": `Save ${file.name}, ${kib(file.size)}`,
  });
  node.append(picture, words, icon("load"));
  if (mayDraw && isPicture(file.media_type))
    whenSeen(node, async () => drawPicture(picture, await actions.content(file)));
  return node;
}

async function save(file, actions, node) {
  node.disabled = true;
  const blob = await actions.content(file);
  node.disabled = false;
  if (blob) saveAs(blob, file.name);
}

function whenSeen(node, work) {
  const watch = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) return;
    watch.disconnect();
    work();
  });
  watch.observe(node);
}
