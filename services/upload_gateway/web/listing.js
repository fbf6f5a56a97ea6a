// A long list of files of which only the pages that are looked at are fetched; it keeps itself up to date in place.

const PAGE = 50;
const AT_ONCE = 3;
const PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 30_000;

// What is found says nothing of its age, and is not told anew.
const newer = (known, told) => (told && !(told.updated_at < known.updated_at) ? { ...known, ...told } : known);

export class Listing extends EventTarget {
  // `fetchPage(offset, limit, signal)` answers {items, total, ...}; `belongs(file)` says whether a file may be part of it.
  // It tells "late" while the server puts its first answer off, and "change" from then on.
  // An answer that `lags` may go on naming files for a while after they were deleted.
  constructor(fetchPage, { belongs = () => true, whole = false, lags = false } = {}) {
    super();
    this.total = null;
    this.isCut = false;
    this.answer = null;
    this.error = null;
    this.belongs = belongs;
    this.whole = whole;
    this.lags = lags;
    this.gone = new Map();
    this.heard = new Map();
    this.items = new Map();
    this.fetchPage = fetchPage;
    this.pages = new Map();
    this.wanted = [];
    this.range = [0, 0];
    this.stop = new AbortController();
    this.isOld = false;
    this.failures = 0;
    this.pause = 0;
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

  // Asks anew for what is in view, at once; the rest is fetched when it comes into view.
  refresh() {
    this.close();
    this.stop = new AbortController();
    this.pause = 0;
    this.#renew();
  }

  // The same, once what is asked for is here and a pause that the server needs is over.
  refreshInTurn() {
    this.isOld = true;
    this.#next();
  }

  close() {
    clearTimeout(this.pause);
    this.stop.abort();
  }

  // A file changed: true when it is shown here and could be exchanged in place. While pages of different age are there it may be in two.
  replace(file) {
    if (this.#loading()) this.heard.set(file.upload_id, file);
    const places = [...this.items].filter(([, known]) => known.upload_id === file.upload_id);
    for (const [index, known] of places) this.items.set(index, newer(known, file));
    if (places.length) this.#changed();
    return places.length > 0;
  }

  // Takes files out before the server's next answer does; `back` undoes it.
  leave(uploadIds) {
    for (const id of uploadIds) this.gone.set(id, { left: performance.now(), version: this.at(this.indexOf(id))?.updated_at ?? "" });
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

  // Somebody may have brought back what was deleted here: what is newer than the deletion says so.
  hasReturned({ upload_id: id, updated_at: version }) {
    return this.gone.has(id) && version > this.gone.get(id).version && this.gone.delete(id);
  }

  #isGone(file, asked) {
    const { left } = this.gone.get(file.upload_id) ?? {};
    if (left === undefined || this.lags || asked < left) return left !== undefined;
    this.gone.delete(file.upload_id);
    return false;
  }

  #next() {
    if (this.pause) return;
    while (this.wanted.length && this.#loading() < AT_ONCE) this.#load(this.wanted.shift());
    if (this.isOld && !this.#loading()) this.#renew();
  }

  #renew() {
    this.isOld = false;
    this.pages.clear();
    this.want(...this.range);
  }

  #loading() {
    return [...this.pages.values()].filter((state) => state === "loading").length;
  }

  async #load(page) {
    const { signal } = this.stop;
    const asked = performance.now();
    if (!this.#loading()) this.heard.clear();
    this.pages.set(page, "loading");
    try {
      const answer = await this.fetchPage(page * PAGE, PAGE, signal);
      if (signal.aborted) return;
      this.#take(page, answer, asked);
    } catch (error) {
      if (signal.aborted) return;
      this.#miss(page, error);
    }
    if (this.total === null) this.dispatchEvent(new Event("late"));
    else this.#changed();
    this.#next();
  }

  // A page that is refused for good is not asked for again before something changes; one that is put off is not missing yet.
  #miss(page, error) {
    if (!error.isPutOff) {
      this.error = error;
      this.total ??= 0;
    }
    if (error.status >= 400 && error.status < 500 && !error.isPutOff) this.pages.set(page, "refused");
    else {
      this.pages.delete(page);
      this.#rest(error.retryAfter);
    }
  }

  #rest(seconds) {
    if (this.pause) return;
    const wait = seconds ? seconds * 1000 : Math.min(PAUSE_MS * 2 ** this.failures, LONGEST_PAUSE_MS);
    this.failures += 1;
    this.pause = setTimeout(() => this.#goOn(), wait);
  }

  #goOn() {
    this.pause = 0;
    if (this.isOld) this.#renew();
    else this.want(...this.range);
  }

  // What was heard of a file while the answer was on its way may be newer than the answer.
  #take(page, answer, asked) {
    const items = answer.items.filter((file) => !this.#isGone(file, asked)).map((file) => newer(file, this.heard.get(file.upload_id)));
    // Of very many only so many are counted, more on pages further back: one of those knows better.
    const isCut = answer.total_relation === "gte";
    if (!isCut || (page + 1) * PAGE >= (this.total ?? 0)) {
      this.total = Math.max(answer.total - (answer.items.length - items.length), 0);
      this.isCut = isCut;
    }
    this.answer = page === 0 || !this.answer ? answer : this.answer;
    this.error = null;
    this.failures = 0;
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
