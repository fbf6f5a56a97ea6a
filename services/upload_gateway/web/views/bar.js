// The right side of the bar: adding files, and the way to trash, settings and help.

import { $, el, pictureButton } from "../dom.js";
import { icon } from "../icons.js";
import { canSignOut, signOut } from "../session.js";
import { add } from "../sending/queue.js";
import { show, state, subscribe } from "../state.js";
import { part } from "./parts.js";
import { attempt } from "./toasts.js";

export function startBar() {
  const pick = el("input", { id: "pick", class: "visually-hidden", type: "file", multiple: true, "aria-label": "Add files", onchange: () => { add([...pick.files]); pick.value = ""; } });
  const folder = el("input", { id: "pick-folder", hidden: true, type: "file", multiple: true, webkitdirectory: true, onchange: () => { add([...folder.files]); folder.value = ""; } });
  const views = el("div", { class: "menu", id: "menu", role: "menu", hidden: true });
  const opener = pictureButton("Menu", icon("person"), () => toggle(views, opener), { "aria-haspopup": "menu", "aria-expanded": "false", "aria-controls": "menu" });
  const close = (back) => { views.hidden = true; opener.setAttribute("aria-expanded", "false"); if (back) opener.focus(); };
  const item = (name, picture, run) => el("button", { type: "button", role: "menuitem", tabIndex: -1, onclick: () => { close(true); run(); } }, icon(picture, 18), name);
  views.append(item("All files", "folder", () => show("files")), item("Add a folder", "plus", () => folder.click()), item("Trash", "trash", () => show("trash")), item("Usage and settings", "sliders", () => show("account")),
    item("Keyboard shortcuts", "keyboard", () => attempt(async () => (await part("help")).openHelp())));
  views.onkeydown = (event) => walk(event, views, close);
  document.addEventListener("pointerdown", (event) => !views.hidden && !event.target.closest("#actions") && close(false));
  views.onfocusout = (event) => event.relatedTarget && !event.relatedTarget.closest("#actions") && close(false);
  $("actions").append(el("label", { class: "button primary", for: "pick", title: "Add files" }, icon("plus"), el("span", { class: "wide" }, "Add files")), pick, folder, opener, views);
  views.refresh = () => { if (canSignOut() && !views.querySelector(".sign-out")) views.append(Object.assign(item("Sign out", "close", signOut), { className: "sign-out" })); };
  subscribe(() => { document.title = { trash: "Trash · mmsearch", account: "Usage and settings · mmsearch" }[state().view] ?? (state().q ? `${state().q} · mmsearch` : "mmsearch"); });
}

function toggle(menu, opener) {
  menu.refresh();
  menu.hidden = !menu.hidden;
  opener.setAttribute("aria-expanded", String(!menu.hidden));
  if (!menu.hidden) menu.firstChild.focus();
}

function walk(event, menu, close) {
  const items = [...menu.children];
  const at = items.indexOf(document.activeElement);
  const next = { ArrowDown: items[(at + 1) % items.length], ArrowUp: items[(at - 1 + items.length) % items.length], Home: items[0], End: items.at(-1) }[event.key];
  if (next) { event.preventDefault(); next.focus(); }
  if (event.key === "Escape") { event.stopPropagation(); close(true); }
}
