// Says, below the bar, that the server does not answer, until it does.

import { $, el } from "../dom.js";
import { icon } from "../icons.js";
import { connection } from "../live.js";

const PATIENCE_MS = 1000;

export function startConnection() {
  let timer = 0;
  $("connection").append(icon("warning", 18), el("p", {}, "The server does not answer. It is tried again by itself; what you see may be out of date."));
  connection.addEventListener("lost", () => { timer = setTimeout(() => { $("connection").hidden = false; }, PATIENCE_MS); });
  connection.addEventListener("back", () => { clearTimeout(timer); $("connection").hidden = true; });
}
