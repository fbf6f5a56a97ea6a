// Follows the address: a file named there is open in the viewer, whose code comes with the first file opened.

import { metadata } from "../api.js";
import { go, state, subscribe } from "../state.js";
import { listingAnswered, open, shownListing } from "./files.js";
import { part } from "./parts.js";
import { attempt } from "./toasts.js";

let viewer = null;

export function startViewer() {
  subscribe((now, before) => (now.file !== before.file || now.at !== before.at) && follow());
  if (state().file) follow();
}

export const openFromTray = (file) => open(file);

async function follow() {
  const { file: id, at } = state();
  if (!id) { viewer?.closeViewer(); return; }
  await attempt(async () => {
    viewer ??= await orElsewhere(part("viewer"));
    await listingAnswered();
    if (state().file !== id) return;
    const index = shownListing()?.indexOf(id) ?? -1;
    const file = index >= 0 ? shownListing().at(index) : await orElsewhere(metadata(id));
    if (file && state().file === id) viewer.openViewer(file, Number(at || 0), index);
  });
}

// An address that still named the file would make the next click on it no change.
async function orElsewhere(asked) {
  try { return await asked; } catch (error) {
    go({ file: "", at: "" });
    throw error;
  }
}
