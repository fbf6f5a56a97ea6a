// Asks a question in a dialog: true for yes. Esc, and everything else, means no. What is final is not done by Enter alone.

import { el } from "../dom.js";

export function ask({ title, text, yes, no = "Cancel", extra = "", final = false }) {
  const dialog = el("dialog", { class: "box", "aria-labelledby": "question" }, el("form", { method: "dialog" },
    el("h2", { id: "question" }, title), el("p", {}, text), extra,
    el("div", { class: "tools" }, el("button", { class: "button", value: "", autofocus: final }, no), el("button", { class: "button danger", value: "yes", autofocus: !final }, yes))));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => { dialog.remove(); resolve(dialog.returnValue === "yes"); };
  });
}
