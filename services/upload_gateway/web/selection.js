// Which files are ticked. Shift takes everything between two ticks.

const chosenFiles = new Map();
const listeners = new Set();
let anchor = -1;
let listing = null;

export const selected = () => [...chosenFiles.values()];
export const isSelected = (file) => chosenFiles.has(file.upload_id);
export const onSelection = (listener) => listeners.add(listener);

export function selectFrom(shown) {
  listing = shown;
  clearSelection();
}

export function select(file, index, on, through) {
  const [from, to] = through && anchor >= 0 ? [Math.min(anchor, index), Math.max(anchor, index)] : [index, index];
  for (let at = from; at <= to; at += 1) set(at === index ? file : listing.at(at), on);
  anchor = index;
  tell();
}

export function clearSelection() {
  anchor = -1;
  if (!chosenFiles.size) return;
  chosenFiles.clear();
  tell();
}

function set(file, on) {
  if (!file) return;
  if (on) chosenFiles.set(file.upload_id, file);
  else chosenFiles.delete(file.upload_id);
}

function tell() {
  for (const box of document.querySelectorAll("#grid .tick input")) {
    const file = listing?.at(box.closest("li").index);
    if (file) box.checked = isSelected(file);
  }
  for (const listener of listeners) listener(chosenFiles.size);
}
