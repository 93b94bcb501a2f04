// The window's title: where one is, and "● 2" before it when runs have ended while nobody looked.

export class Attention {
  constructor(signal) {
    Object.assign(this, { missed: 0, title: "" });
    const looked = () => document.hidden || this.clear();
    document.addEventListener("visibilitychange", looked, { signal });
    signal.addEventListener("abort", () => this.clear());
  }

  ended() {
    if (!document.hidden) return;
    this.missed += 1;
    this.show();
  }

  name(title) {
    this.title = `${title} · Quintet`;
    this.show();
  }

  clear() {
    this.missed = 0;
    this.show();
  }

  show() {
    const title = this.missed > 0 ? `● ${this.missed} ${this.title}` : this.title;
    if (title && document.title !== title) document.title = title;
  }
}
