// Keys that work anywhere on the page.

import { clearSelection, selected } from "../selection.js";
import { state } from "../state.js";
import { deleteFiles } from "../actions.js";
import { $ } from "../dom.js";
import { focusGrid } from "./files.js";
import { part } from "./parts.js";
import { focusSearch } from "./search_box.js";
import { attempt } from "./toasts.js";

const WRITING = "input:not([type=checkbox]), textarea, select, [contenteditable]";

export function startKeys() {
  document.querySelector(".skip").onclick = (event) => {
    event.preventDefault();
    $("content").focus();
    if (state().view === "files") focusGrid();
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest?.(WRITING)) return;
    if (event.key === "?") {
      event.preventDefault();
      attempt(async () => (await part("help")).openHelp());
      return;
    }
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "/") { event.preventDefault(); focusSearch(); }
    else if (event.key === "a") { event.preventDefault(); $("pick").click(); }
    else if (event.key === "Escape") clearSelection();
    else if (event.key === "Delete" && selected().length) { event.preventDefault(); deleteFiles(selected()); }
    else if (event.key === "ArrowDown" && (event.target === document.body || event.target.id === "content")) { event.preventDefault(); focusGrid(); }
  });
}
