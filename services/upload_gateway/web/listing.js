// A long list of files of which only the pages that are looked at are fetched; it keeps itself up to date in place.

const PAGE = 50;
const AT_ONCE = 3;

export class Listing extends EventTarget {
  // `fetchPage(offset, limit, signal)` answers {items, total, ...}; `belongs(file)` says whether a file may be part of it.
  constructor(fetchPage, { belongs = () => true, whole = false } = {}) {
    super();
    this.total = null;
    this.isCut = false;
    this.answer = null;
    this.error = null;
    this.belongs = belongs;
    this.whole = whole;
    this.gone = new Set();
    this.items = new Map();
    this.fetchPage = fetchPage;
    this.pages = new Map();
    this.wanted = [];
    this.round = 0;
    this.range = [0, 0];
    this.stop = new AbortController();
  }

  at(index) {
    return this.items.get(index);
  }

  indexOf(uploadId) {
    for (const [index, file] of this.items) if (file.upload_id === uploadId) return index;
    return -1;
  }

  // Fetches the pages of these positions, the ones asked for last first.
  want(first, last) {
    this.range = [first, last];
    const from = Math.floor(Math.max(first, 0) / PAGE);
    const to = this.whole ? from : Math.floor(Math.max(last, 0) / PAGE);
    this.wanted = [];
    for (let page = from; page <= to; page += 1) if (!this.pages.has(page)) this.wanted.push(page);
    this.#next();
  }

  // Asks anew for what is in view; the rest is fetched when it comes into view.
  refresh() {
    this.round += 1;
    this.pages.clear();
    this.want(...this.range);
  }

  close() {
    this.closed = true;
    this.stop.abort();
  }

  // A file changed: true when it is shown here and could be exchanged in place.
  replace(file) {
    const index = this.indexOf(file.upload_id);
    if (index < 0) return false;
    this.items.set(index, { ...this.items.get(index), ...file });
    this.#changed();
    return true;
  }

  // Takes a file out before the server's next answer does; `back` undoes it.
  leave(uploadIds) {
    uploadIds.forEach((id) => this.gone.add(id));
    const kept = [...this.items].filter(([, file]) => !this.gone.has(file.upload_id));
    const removed = [...this.items].filter(([, file]) => this.gone.has(file.upload_id)).map(([index]) => index);
    const before = (index) => removed.filter((one) => one < index).length;
    this.items = new Map(kept.map(([index, file]) => [index - before(index), file]));
    this.total = Math.max((this.total ?? 0) - removed.length, 0);
    this.#changed();
  }

  back(uploadIds) {
    uploadIds.forEach((id) => this.gone.delete(id));
  }

  #next() {
    while (this.wanted.length && this.#loading() < AT_ONCE) this.#load(this.wanted.shift());
  }

  #loading() {
    return [...this.pages.values()].filter((state) => state === "loading").length;
  }

  async #load(page) {
    const round = this.round;
    this.pages.set(page, "loading");
    try {
      const answer = await this.fetchPage(page * PAGE, PAGE, this.stop.signal);
      if (this.closed || round !== this.round) return;
      this.#take(page, answer);
    } catch (error) {
      if (error.name === "AbortError" || this.closed || round !== this.round) return;
      this.pages.delete(page);
      this.error = error;
      this.total ??= 0;
    }
    this.#changed();
    this.#next();
  }

  #take(page, answer) {
    const items = answer.items.filter((file) => !this.gone.has(file.upload_id));
    // Of very many only so many are counted, more on pages further back: one of those knows better.
    const isCut = answer.total_relation === "gte";
    if (!isCut || (page + 1) * PAGE >= (this.total ?? 0)) {
      this.total = Math.max(answer.total - (answer.items.length - items.length), 0);
      this.isCut = isCut;
    }
    this.answer = page === 0 || !this.answer ? answer : this.answer;
    this.error = null;
    this.pages.set(page, "there");
    const pageOf = (index) => Math.floor(index / PAGE);
    const still = ([index]) => pageOf(index) !== page && index < this.total && (this.whole || this.pages.has(pageOf(index)));
    this.items = new Map([...this.items].filter(still));
    items.forEach((file, at) => this.items.set(page * PAGE + at, file));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
