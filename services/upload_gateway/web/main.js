// Puts the page together: signs in, starts every part, and leads keys and files to where they belong.

import { $, el } from "./dom.js";
import { icon } from "./icons.js";
import { startFiles } from "./views/files.js";
import { startFailures } from "./views/failures.js";
import { startFilters } from "./views/filters.js";
import { startBar } from "./views/bar.js";
import { startConnection } from "./views/connection.js";
import { startDropping } from "./views/drop.js";
import { startKeys } from "./views/keys.js";
import { startOtherViews } from "./views/other_views.js";
import { startSearchBox } from "./views/search_box.js";
import { startSelectionBar } from "./views/selection_bar.js";
import { fetchAhead } from "./views/parts.js";
import { openFromTray, startViewer } from "./views/opening.js";
import { startTray } from "./views/tray.js";
import { follow } from "./live.js";
import { loadPreferences } from "./preferences.js";
import { signIn } from "./session.js";

startBar();
startConnection();
await untilSignedIn();
loadPreferences();
startSearchBox();
startFilters();
startFiles();
startFailures();
startTray(openFromTray);
startDropping();
startSelectionBar();
startOtherViews();
startViewer();
startKeys();
follow();
fetchAhead();

async function untilSignedIn() {
  for (let tries = 0; ; tries += 1) {
    try {
      await signIn();
      $("empty").hidden = true;
      return;
    } catch (error) {
      const isSuspended = error.message.includes("suspended");
      $("empty").hidden = false;
      $("empty").replaceChildren(icon("warning", 56), el("h2", {}, isSuspended ? error.message : "The server cannot be reached"),
        el("p", { class: "muted" }, isSuspended ? "Ask whoever runs this installation." : "It is tried again by itself, every few seconds."));
      await new Promise((resolve) => setTimeout(resolve, Math.min(1000 * 2 ** tries, 10_000)));
    }
  }
}
