// A small picture of a file, painted on a canvas: so the page's policy need not let any address be an image.

import { el } from "../dom.js";

const EDGE = 72;

export async function drawPicture(box, blob) {
  try {
    const whole = await createImageBitmap(blob);
    const scale = EDGE / Math.min(whole.width, whole.height);
    const [width, height] = [whole.width * scale, whole.height * scale];
    const canvas = el("canvas", { width: EDGE, height: EDGE, "aria-hidden": "true" });
    canvas.getContext("2d").drawImage(whole, (EDGE - width) / 2, (EDGE - height) / 2, width, height);
    whole.close();
    box.replaceChildren(canvas);
  } catch {
    // No picture after all: the sign of a file stays.
  }
}
