// The files of a message that is being written: each uploaded at once, so that sending waits for nothing.
// States of a file: uploading -> done | failed; what was refused here (size, number) is failed from the beginning.

import { FILES_MOST, FILE_BYTES, typeOf } from "./media.js";
import { randomId } from "./session.js";
import { upload } from "./upload.js";
import { wordFor } from "./words.js";

const LOST = "Interrupted: goes on when the connection is back.";

export class Tray {
  constructor({ session, onChange, kept = [] }) {
    Object.assign(this, { session, onChange });
    this.items = kept.map((file) => ({
      key: randomId(),
      name: file.name,
      size: file.size,
      type: file.media_type,
      state: "done",
      file,
    }));
  }

  // `text`: the pasted text that became this file, to be put back on demand.
  add(source, { text } = {}) {
    const { name, size } = source;
    const item = {
      key: randomId(),
      name,
      size,
      type: typeOf(source),
      source,
      text,
      progress: 0,
      life: new AbortController(),
    };
    this.items.push(item);
    const fault = this.faultOf(item);
    if (fault) this.fail(item, fault, false);
    else this.start(item);
  }

  faultOf({ size }) {
    if (size > FILE_BYTES) return `Too big: at most ${FILE_BYTES / 1_000_000} MB.`;
    if (size === 0) return "This file is empty.";
    return this.items.length > FILES_MOST ? `At most ${FILES_MOST} files go with one message.` : "";
  }

  async start(item) {
    Object.assign(item, { state: "uploading", progress: 0, fault: "", isLost: false });
    this.onChange();
    const onProgress = (part) => {
      item.progress = part;
      this.onChange();
    };
    try {
      const { source: file, name, type } = item;
      item.file = await upload(this.session, { file, name, type }, { onProgress, signal: item.life.signal });
      item.state = "done";
      this.onChange();
    } catch (error) {
      if (item.life.signal.aborted) return;
      item.isLost = error.code === "unreachable";
      this.fail(item, item.isLost ? LOST : wordFor(error), error.status !== 413);
    }
  }

  // The connection is back: what it took along goes on by itself.
  retryLost() {
    for (const item of this.items) if (item.state === "failed" && item.isLost) this.start(item);
  }

  fail(item, fault, mayRetry) {
    Object.assign(item, { state: "failed", fault, mayRetry });
    this.onChange();
  }

  remove(item) {
    item.life?.abort();
    this.items = this.items.filter((other) => other !== item);
    this.onChange();
  }

  get isUploading() {
    return this.items.some((item) => item.state === "uploading");
  }

  get hasFault() {
    return this.items.some((item) => item.state === "failed");
  }

  // As the server names them: what is sent, kept over a reload, and shown under the message.
  get files() {
    return this.items.filter((item) => item.state === "done").map((item) => item.file);
  }
}
