// Shows trash and settings in place of the files; their code is fetched when they are first asked for.

import { $, el } from "../dom.js";
import { state, subscribe } from "../state.js";
import { againAfter, isAway, trouble } from "./away.js";
import { part } from "./parts.js";

let again = 0;

export function startOtherViews() {
  subscribe((now, before) => now.view !== before.view && draw(true));
  if (state().view !== "files") draw(false);
}

async function draw(moved) {
  clearTimeout(again);
  const { view } = state();
  const isFiles = view === "files";
  $("files").hidden = !isFiles;
  $("other").hidden = isFiles;
  if (isFiles) return;
  try {
    const { content } = await part(view);
    if (state().view !== view) return;
    $("other").replaceChildren(content());
    scrollTo(0, 0);
    if (moved) $("other").querySelector("h1")?.focus();
  } catch (error) {
    if (state().view === view) missed(error, () => draw(moved));
  }
}

function missed(error, retry) {
  if (!$("other").querySelector(":scope > .empty")) $("other").replaceChildren(el("div", { class: "empty" }, ...trouble(error, retry)));
  if (isAway(error)) again = setTimeout(retry, againAfter(error));
}
