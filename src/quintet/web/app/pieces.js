// A text that arrives in pieces, each with its offset in Unicode code points. A piece seen twice changes nothing.

const GAP = " … ";

export class Pieces {
  constructor() {
    this.text = "";
    this.length = 0;
  }

  add(offset, piece) {
    const points = [...piece];
    const end = offset + points.length;
    if (end <= this.length) return;
    if (offset > this.length && this.length > 0) this.text += GAP; // only where the beginning was not read
    this.text += offset < this.length ? points.slice(this.length - offset).join("") : piece;
    this.length = end;
  }

  replace(text) {
    this.text = text;
    this.length = [...text].length;
  }
}
