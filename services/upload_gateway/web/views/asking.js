// Asks a question in a dialog: true for yes. Esc, and everything else, means no.

import { el } from "../dom.js";

export function ask({ title, text, yes, no = "Cancel", extra = "" }) {
  const dialog = el("dialog", { class: "box", "aria-labelledby": "question" }, el("form", { method: "dialog" },
    el("h2", { id: "question" }, title), el("p", {}, text), extra,
    el("div", { class: "tools" }, el("button", { class: "button", value: "" }, no), el("button", { class: "button danger", value: "yes", autofocus: true }, yes))));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => { dialog.remove(); resolve(dialog.returnValue === "yes"); };
  });
}
