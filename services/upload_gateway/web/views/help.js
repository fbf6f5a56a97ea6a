// The list of keys.

import { el, pictureButton } from "../dom.js";
import { icon } from "../icons.js";

const KEYS = [
  ["/", "Search"], ["a", "Add files"], ["↓ from the search box", "Go to the files"], ["← ↑ → ↓", "Move between files"], ["Home, End", "First, last file"],
  ["Enter", "Open"], ["Delete", "Delete, with undo"], ["← → in a file", "Previous, next file"], ["+ − 0", "Zoom a picture"], ["Space", "Play or pause"], ["Esc", "Close, or clear"], ["?", "This list"],
];

export function openHelp() {
  if (document.querySelector("#help[open]")) return;
  const dialog = el("dialog", { id: "help", class: "box", "aria-labelledby": "help-title" },
    el("div", { class: "box-head" }, el("h2", { id: "help-title" }, "Keyboard shortcuts"), pictureButton("Close", icon("close"), () => dialog.close())),
    el("dl", { class: "keys" }, KEYS.flatMap(([key, what]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)])),
    el("p", { class: "muted" }, "While a PDF has the focus, keys go to the browser's own reader. Tab leads out of it; then Esc closes the file."));
  dialog.onclose = () => dialog.remove();
  dialog.onclick = (event) => event.target === dialog && dialog.close();
  document.body.append(dialog);
  dialog.showModal();
}
