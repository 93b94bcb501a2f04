// A name that is changed where it stands: Enter keeps it, Escape leaves it as it was, leaving the field keeps it.

import { el } from "../dom.js";

const LONGEST = 200;

export function renameBox(title, { onSave, onEnd }) {
  let isOver = false;
  const end = (save) => {
    if (isOver) return;
    isOver = true;
    const { value } = box;
    const hadFocus = document.activeElement === box;
    onEnd(hadFocus);
    if (save) onSave(value);
  };
  const keydown = (event) => {
    if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
    event.preventDefault();
    event.stopPropagation();
    end(event.key === "Enter");
  };
  const on = { keydown, blur: () => end(true) };
  const box = el("input", { class: "rename-box", maxlength: LONGEST, "aria-label": "Name of the conversation", on });
  box.value = title;
  return box;
}
