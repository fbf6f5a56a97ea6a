// Turns what was dropped, files and whole folders, into the files inside; hidden ones and system litter stay out.

const LITTER = /^(\.|Thumbs\.db$|desktop\.ini$|__MACOSX$)/i;

export const isLitter = (name) => LITTER.test(name);

// Entries must be taken from the event at once: it is empty after the first await.
export function entriesOf(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  return items.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile()).filter(Boolean);
}

// What cannot be read is told by `whenLost(name)` and costs nothing else.
export async function* filesIn(entries, whenLost) {
  for (const entry of entries) {
    if (entry instanceof File) yield entry;
    else if (isLitter(entry.name)) continue;
    else if (entry.isFile) yield* fileOf(entry, whenLost);
    else yield* filesIn(await childrenOf(entry, whenLost), whenLost);
  }
}

async function* fileOf(entry, whenLost) {
  try {
    yield await new Promise((resolve, reject) => entry.file(resolve, reject));
  } catch { whenLost(entry.name); }
}

async function childrenOf(directory, whenLost) {
  const reader = directory.createReader();
  const found = [];
  try {
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) break;
      found.push(...some);
    }
  } catch { whenLost(directory.name); }
  return found.sort((a, b) => a.name.localeCompare(b.name));
}
