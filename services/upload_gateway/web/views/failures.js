// What went wrong, by cause: what happened, what helps, and trying again, one file or all of a cause.

import { changes, deleteFiles, retryFiles } from "../actions.js";
import { spread } from "../allowance.js";
import { listUploads } from "../api.js";
import { $, button, el, pictureButton, spaced } from "../dom.js";
import { counted } from "../format.js";
import { icon } from "../icons.js";
import { onUpload } from "../live.js";
import { isFiltered, isFound, state, subscribe } from "../state.js";

const CAUSES = {
  corrupt: "Damaged files", encrypted: "Locked with a password", unsupported_format: "Formats that are not read here", file_size: "Empty or too large",
  network: "The connection failed", quota_exceeded: "A quota is used up", timeout: "Reading took too long", provider_invalid: "The analysis went wrong",
  provider_refused: "The analysis was refused", resource_limit: "Too big to be opened", internal: "Something went wrong on our side", unknown_owner: "Files without an owner",
};
const few = () => (innerWidth < 560 ? 1 : 3);
const FOLDED = "mmsearch-failures-folded";
const unfolded = new Set();
let failed = [];
let more = 0;

export function startFailures() {
  subscribe(draw);
  onUpload((file) => { if (!file || file.status === "failed" || failed.some((one) => one.upload_id === file.upload_id)) soon(); });
  changes.addEventListener("left", ({ detail }) => without(detail));
  changes.addEventListener("retried", ({ detail }) => without(detail));
  changes.addEventListener("returned", () => soon());
  load();
}

const soon = spaced(300, load, () => spread(2000));

async function load() {
  try {
    const { data, meta } = await listUploads({ status: "failed", limit: 100, sort: "-updated_at" });
    [failed, more] = [data, meta.total - data.length];
    draw();
  } catch (error) {
    // What is known stays.
    if (error.isPutOff) setTimeout(soon, error.retryAfter * 1000);
  }
}

function without(ids) {
  failed = failed.filter((file) => !ids.includes(file.upload_id));
  draw();
  soon();
}

function draw() {
  const panel = $("failures");
  panel.hidden = failed.length === 0 || isFound() || isFiltered() || state().view !== "files";
  if (panel.hidden) return;
  const folded = isFolded();
  const key = JSON.stringify([failed.map((file) => [file.upload_id, file.updated_at]), [...unfolded], more, folded]);
  if (panel.dataset.key === key) return;
  panel.dataset.key = key;
  const groups = Map.groupBy(failed, (file) => file.error?.code ?? "internal");
  panel.replaceChildren(
    el("div", { class: "failures-head" }, icon("warning"), el("h2", {}, `${counted(failed.length + more, "file needs", "files need")} attention`),
      button(folded ? "Show" : "Hide", fold, { kind: "small quiet", id: "fold-failures", "aria-expanded": String(!folded) })),
    ...(folded ? [] : [...groups].map(([code, files]) => group(code, files))));
}

// What was put away stays away until something fails anew.
const latest = () => failed.reduce((last, { updated_at: at }) => (at > last ? at : last), "");
const isFolded = () => latest() <= (localStorage.getItem(FOLDED) ?? "");

function fold() {
  localStorage.setItem(FOLDED, isFolded() ? "" : latest());
  draw();
  $("fold-failures").focus();
}

function group(code, files) {
  const { advice, retryable } = files[0].error ?? { advice: "", retryable: true };
  const shown = unfolded.has(code) ? files : files.slice(0, few());
  const rest = files.length - shown.length;
  return el("div", { class: "cause" },
    el("div", { class: "cause-head" },
      el("div", {}, el("h3", {}, `${CAUSES[code] ?? code} (${files.length})`), el("p", { class: "muted" }, advice)),
      files.length > 1 ? button("Try all again", () => retryFiles(files), { kind: retryable ? "small" : "small quiet", picture: icon("retry", 16) }) : ""),
    el("ul", { class: "rows" }, shown.map((file) => row(file, retryable))),
    rest ? button(`Show ${rest} more`, () => { unfolded.add(code); draw(); }, { kind: "small quiet" }) : "");
}

function row(file, retryable) {
  return el("li", {}, el("span", { class: "name", title: file.filename }, file.filename), el("span", { class: "words" }, file.message),
    el("span", { class: "side" },
      button("Try again", () => retryFiles([file]), { kind: retryable ? "small" : "small quiet", "aria-label": `Try again: ${file.filename}` }),
      pictureButton(`Delete ${file.filename}`, icon("trash", 18), () => deleteFiles([file]))));
}
