// What is written or said in a file, from its beginning as far as it is wanted. What a cut had parted is one again.

import { fileText } from "./api.js";

export class FileText {
  constructor(id) {
    this.id = id;
    this.paragraphs = [];
    this.next = -1;
    this.reading = null;
  }

  get isWhole() { return this.next === null; }

  // Who asks while others wait waits for the same answer.
  more() { return (this.reading ??= this.read().finally(() => { this.reading = null; })); }

  async read() {
    if (this.isWhole) return;
    const { parts, next } = await fileText(this.id, this.next);
    for (const part of parts) {
      if (part.continues && this.paragraphs.length) this.paragraphs.at(-1).text += part.text;
      else this.paragraphs.push({ ...part });
    }
    this.next = next;
  }
}
