// Shows a listing of any length as a grid: only the cards near the window exist, and the arrows walk over all of them.

const NEAR = 600;
const REST_MS = 120;

export class Grid {
  // `shape(width)` answers {columns, height, gap}; `render(file, index)` makes a card, `blank()` one still to come.
  constructor(list, { shape, render, blank, onRange }) {
    this.list = list;
    this.shape = shape;
    this.render = render;
    this.blank = blank;
    this.onRange = onRange;
    this.drawn = new Map();
    this.current = 0;
    this.pending = -1;
    this.frame = 0;
    this.listing = null;
    list.tabIndex = -1;
    addEventListener("scroll", () => this.later(), { passive: true });
    new ResizeObserver(() => this.later()).observe(list);
    list.addEventListener("keydown", (event) => this.#walk(event));
    list.addEventListener("focusin", (event) => this.#remember(event));
  }

  show(listing) {
    this.listing = listing;
    this.current = 0;
    this.pending = -1;
    this.clear();
    listing.addEventListener("change", () => this.listing === listing && this.draw());
    this.draw();
  }

  clear() {
    this.drawn.clear();
    this.list.replaceChildren();
  }

  later() {
    this.frame ||= requestAnimationFrame(() => { this.frame = 0; this.draw({ moving: true }); });
  }

  // Where cards fly past faster than anybody reads, blank ones do until the scrolling comes to rest.
  draw({ moving = false } = {}) {
    clearTimeout(this.rest);
    if (!this.listing || this.list.hidden || this.list.offsetParent === null) return;
    const width = this.list.clientWidth;
    const { columns, height, gap } = this.shape(width);
    const total = this.listing.total ?? columns * 2;
    this.layout = { columns, height, gap, total, cell: (width - gap * (columns - 1)) / columns };
    const rows = Math.ceil(total / columns);
    this.list.style.height = rows ? `${rows * (height + gap) - gap}px` : "0";
    const top = this.list.getBoundingClientRect().top;
    this.flying = moving && Math.abs(top - (this.top ?? top)) > innerHeight * 0.6;
    this.top = top;
    if (this.flying) this.rest = setTimeout(() => this.draw(), REST_MS);
    const firstRow = Math.max(Math.floor((-top - NEAR) / (height + gap)), 0);
    const lastRow = Math.min(Math.ceil((innerHeight - top + NEAR) / (height + gap)), rows - 1);
    this.#place(firstRow * columns, Math.min((lastRow + 1) * columns, total) - 1);
  }

  #place(first, last) {
    const keep = new Map();
    let lost = null;
    for (let index = first; index <= last; index += 1) {
      const known = this.drawn.get(index);
      const file = this.flying && !known?.version ? undefined : this.listing.at(index);
      const version = file ? versionOf(file) : "";
      const same = known && known.version === version;
      const card = same ? known.card : file ? this.render(file, index) : this.blank();
      keep.set(index, { card, version, id: file?.upload_id });
      if (known && !same && known.card.contains(document.activeElement)) lost = { index, id: known.id };
      this.#put(card, index);
    }
    for (const [index, { card }] of this.drawn) if (keep.get(index)?.card !== card) card.remove();
    this.drawn = keep;
    this.#inOrder(keep);
    const open = this.#toFocus(keep, lost)?.querySelector(".open");
    if (open) { this.pending = -1; open.focus({ preventScroll: true }); }
    if (!this.flying && (last >= first || this.listing.total === null)) this.onRange(first, Math.max(last, first));
  }

  // The focus stays with its file where that has moved on, and with its place where the file is gone.
  #toFocus(keep, lost) {
    if (this.pending >= 0) return keep.get(this.pending)?.card;
    if (!lost) return undefined;
    const same = [...keep.values()].find(({ id }) => id && id === lost.id);
    return (same ?? keep.get(lost.index)).card;
  }

  // Whoever reads or tabs through the cards meets them as they are seen.
  #inOrder(keep) {
    let next = this.list.firstChild;
    for (const { card } of keep.values()) {
      if (card === next) next = next.nextSibling;
      else this.list.insertBefore(card, next);
    }
  }

  #put(card, index) {
    const { columns, height, gap, total, cell } = this.layout;
    const [x, y] = [(index % columns) * (cell + gap), Math.floor(index / columns) * (height + gap)];
    const where = `translate(${x}px, ${y}px)`;
    if (card.where !== where) { card.where = where; card.style.transform = where; }
    const size = `${cell}x${height}`;
    if (card.size !== size) { card.size = size; card.style.width = `${cell}px`; card.style.height = `${height}px`; }
    if (card.index !== index || card.total !== total) {
      [card.index, card.total] = [index, total];
      card.setAttribute("aria-posinset", index + 1);
      card.setAttribute("aria-setsize", total);
    }
    const reachable = index === this.current ? 0 : -1;
    const open = card.querySelector(".open");
    if (open && open.tabIndex !== reachable) card.querySelectorAll("button, input").forEach((one) => { one.tabIndex = reachable; });
  }

  #remember(event) {
    const card = event.target.closest("li");
    if (card?.index === undefined || card.index === this.current) return;
    this.current = card.index;
    this.draw();
  }

  #walk(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || !(event.target === this.list || event.target.matches(".open"))) return;
    const { columns, total } = this.layout;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    const target = { Home: 0, End: total - 1 }[event.key] ?? (event.key in steps ? this.current + steps[event.key] : undefined);
    if (target === undefined || target < 0 || target >= total) return;
    event.preventDefault();
    this.focus(target);
  }

  focus(index) {
    if (!this.layout?.total) return;
    this.current = Math.min(Math.max(index, 0), this.layout.total - 1);
    this.#reveal(this.current);
    // A card that is still to come gets the focus when it is there; keys go on walking from the list meanwhile.
    this.pending = this.current;
    this.list.focus({ preventScroll: true });
    this.draw();
  }

  #reveal(index) {
    const { columns, height, gap } = this.layout;
    const head = document.querySelector(".bar").offsetHeight + 12;
    const y = this.list.getBoundingClientRect().top + Math.floor(index / columns) * (height + gap);
    if (y < head) scrollBy(0, y - head);
    else if (y + height > innerHeight - 12) scrollBy(0, y + height - innerHeight + 12);
  }
}

function versionOf(file) {
  const moments = file.moments?.length ? `${file.moments[0].text}${file.moments[0].start_s ?? file.moments[0].page ?? ""}` : "";
  return [file.upload_id, file.updated_at, file.status, file.progress, file.thumbnail_url, file.marked ? 1 : 0, moments].join("|");
}
