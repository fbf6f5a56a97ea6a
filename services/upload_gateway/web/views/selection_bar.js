// What can be done to the ticked files together.

import { deleteFiles } from "../actions.js";
import { $, button, el } from "../dom.js";
import { counted } from "../format.js";
import { icon } from "../icons.js";
import { clearSelection, onSelection, selected } from "../selection.js";
import { focusGrid } from "./files.js";

export function startSelectionBar() {
  const words = el("strong", {});
  $("selection").append(words, button("Delete", () => deleteFiles(selected()), { kind: "small", picture: icon("trash", 18) }), button("Clear", clearSelection, { kind: "small quiet" }));
  onSelection((count) => {
    if (count === 0 && $("selection").contains(document.activeElement)) focusGrid();
    $("selection").hidden = count === 0;
    document.body.classList.toggle("selecting", count > 0);
    words.textContent = `${counted(count, "file")} selected`;
  });
}
