// Dropping and pasting: files and folders anywhere are added, a picture on the search box is searched by.

import { $, el } from "../dom.js";
import { icon } from "../icons.js";
import { entriesOf, filesIn } from "../sending/folders.js";
import { add } from "../sending/queue.js";
import { searchBy, takeImage } from "./search_box.js";
import { attempt, toast } from "./toasts.js";

const BATCH = 50;
let depth = 0;

export function startDropping() {
  $("drop").append(el("p", {}, icon("cloud", 44), el("strong", {}, "Drop to add"), el("span", {}, "Files and folders. A picture dropped on the search box is searched by.")));
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => { if (carriesFiles(event)) { depth += 1; mark(event); } });
  addEventListener("dragleave", (event) => { if (carriesFiles(event)) { depth = Math.max(depth - 1, 0); mark(event); } });
  addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => carriesFiles(event) && dropped(event));
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (event.target.closest?.("#find")) takeImage(event, files);
    else if (files.length) add(files);
  });
}

function mark(event) {
  const overSearch = depth > 0 && Boolean(event.target.closest?.("#find"));
  $("drop").togglePopover(depth > 0 && !overSearch);
  $("find").classList.toggle("target", overSearch);
}

function dropped(event) {
  event.preventDefault();
  depth = 0;
  mark(event);
  if (event.target.closest?.("#find") && event.dataTransfer.files.length === 1) {
    searchBy(event.dataTransfer.files[0]);
    return;
  }
  const entries = entriesOf(event.dataTransfer);
  attempt(async () => {
    let some = [];
    const lost = [];
    for await (const file of filesIn(entries, (name) => lost.push(name))) {
      some.push(file);
      if (some.length === BATCH) { add(some); some = []; }
    }
    if (some.length) add(some);
    if (lost.length) toast(lost.length === 1 ? `“${lost[0]}” could not be read and was not added.` : `${lost.length} files or folders could not be read and were not added.`);
  });
}
