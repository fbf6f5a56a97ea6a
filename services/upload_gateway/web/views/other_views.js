// Shows trash and settings in place of the files; their code is fetched when they are first asked for.

import { $ } from "../dom.js";
import { state, subscribe } from "../state.js";

const VIEWS = { trash: () => import("./trash.js"), account: () => import("./account.js") };

export function startOtherViews() {
  subscribe((now, before) => now.view !== before.view && draw(true));
  if (state().view !== "files") draw(false);
}

async function draw(moved) {
  const { view } = state();
  const isFiles = view === "files";
  $("files").hidden = !isFiles;
  $("other").hidden = isFiles;
  if (isFiles) return;
  const { content } = await VIEWS[view]();
  if (state().view !== view) return;
  $("other").replaceChildren(content());
  scrollTo(0, 0);
  if (moved) $("other").querySelector("h2")?.focus();
}
