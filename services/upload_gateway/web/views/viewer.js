// Opens a file at the place that was found, beside what is known of it; arrows lead to its neighbours.

import { changes, deleteFiles, download, processAgain, retryFiles } from "../actions.js";
import { $, button, el, highlighted, pictureButton } from "../dom.js";
import { placeBeside } from "../format.js";
import { icon } from "../icons.js";
import { go, isFound, state } from "../state.js";
import { shownListing, showSimilar, focusGrid } from "./files.js";
import { detailsOf } from "./details.js";
import { feedbackFor } from "./feedback.js";
import { openHelp } from "./help.js";
import { clearStage, seek, showOnStage, zoomBy } from "./stage.js";
import { thumbnail } from "./thumbnail.js";
import { transcript } from "./transcript.js";
import { written } from "./written.js";

const dialog = $("viewer");
let showing = null;
let position = -1;
let parts = null;
let follow = null;

export function openViewer(file, moment, index) {
  if (showing?.upload_id === file.upload_id && dialog.open) { choose(moment); return; }
  parts ??= build();
  showing = file;
  position = index;
  parts.title.textContent = parts.title.title = file.filename;
  parts.about.replaceChildren(...about(file));
  parts.about.scrollTop = 0;
  parts.before.disabled = index <= 0;
  parts.after.disabled = index < 0 || index >= (shownListing()?.total ?? 0) - 1;
  if (!dialog.open) { dialog.showModal(); parts.close.focus(); }
  showOnStage(parts.stage, file, file.moments?.[moment]);
  mark(moment);
}

export function closeViewer() {
  if (dialog.open) dialog.close();
}

function build() {
  const built = {
    title: el("h2", { id: "viewer-title", dir: "auto" }),
    before: pictureButton("Previous file", icon("left"), () => step(-1)),
    after: pictureButton("Next file", icon("right"), () => step(1)),
    close: pictureButton("Close", icon("close"), leave),
    stage: el("div", { class: "stage", id: "stage" }),
    about: el("div", { class: "about-body", id: "about", tabIndex: 0, role: "region", "aria-label": "About this file" }),
  };
  dialog.append(built.stage, el("aside", { class: "about" }, el("div", { class: "about-head" }, built.title, el("div", { class: "steps" }, built.before, built.after, built.close)), built.about));
  built.stage.addEventListener("timeupdate", ({ target }) => follow?.(target.currentTime), true);
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); leave(); });
  dialog.addEventListener("click", (event) => event.target === dialog && leave());
  dialog.addEventListener("close", closed);
  dialog.addEventListener("keydown", keys);
  changes.addEventListener("left", ({ detail }) => detail.includes(showing?.upload_id) && leave());
  return built;
}

const leave = () => go({ file: "", at: "" });

function closed() {
  clearStage(parts.stage);
  document.body.append($("toasts"));
  showing = null;
  if (state().file) leave();
  if (position >= 0) focusGrid(position);
}

function step(by) {
  const next = shownListing()?.at(position + by);
  if (position < 0 || !next) return;
  go({ file: next.upload_id, at: next.moments?.length ? "0" : "" });
  shownListing().want(position - 10, position + 10);
}

function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("video, audio, input, textarea, select")) return;
  if (event.key === "ArrowRight") step(1);
  else if (event.key === "ArrowLeft") step(-1);
  else if (event.key === "+" || event.key === "=") zoomBy(1.5);
  else if (event.key === "-") zoomBy(1 / 1.5);
  else if (event.key === "0") zoomBy(0);
  else if (event.key === "Delete") deleteFiles([showing]);
  else if (event.key === " " && !event.target.closest("button, a, summary")) toggle();
  else return;
  event.preventDefault();
}

function toggle() {
  const player = parts.stage.querySelector("video, audio");
  if (player) player[player.paused ? "play" : "pause"]();
}

function choose(at) {
  mark(at);
  const moment = showing.moments?.[at];
  if (moment && !seek(parts.stage, moment)) showOnStage(parts.stage, showing, moment);
}

function mark(at) {
  parts.about.querySelectorAll(".moments button").forEach((one, index) => one.setAttribute("aria-current", String(index === at)));
}

// What is said in it, or what is written in a picture or PDF; what else there is is read on the stage.
function textOf(file) {
  const section = el("details", { class: "words", hidden: true });
  follow = null;
  if (file.status !== "failed") fill(section, file).catch(() => {});
  return section;
}

async function fill(section, file) {
  const type = file.media_type ?? "";
  const [isPlayed, isSeen] = [/^(video|audio)\//.test(type), type.startsWith("image/") || type === "application/pdf"];
  const text = isPlayed ? await transcript(file, (line) => seek(parts.stage, line)) : isSeen ? await written(file, "h4") : null;
  if (!text || showing !== file) return;
  section.append(el("summary", {}, isPlayed ? "Transcript" : "Text in it"), text.box);
  section.hidden = false;
  section.open = isPlayed;
  follow = text.follow ?? null;
}

function about(file) {
  const described = file.moments?.length === 1 && file.moments[0].source === "summary" ? file.moments[0] : null;
  const moments = described ? [] : (file.moments ?? []).map((one, at) => el("li", {}, el("button", { type: "button", onclick: () => (Number(state().at) === at ? choose(at) : go({ at: String(at) })) },
    one.thumbnail_url ? el("span", { class: "thumb", "data-kind": file.file_type }, thumbnail(one.thumbnail_url)) : "",
    el("span", { dir: "auto" }, placeBeside(one, file) ? el("span", { class: "place" }, `${placeBeside(one, file)} `) : "", ...highlighted(one.text, one.highlights)))));
  const failed = file.status === "failed" && file.error;
  return [
    failed ? el("div", { class: "notice bad" }, el("p", {}, file.message), el("p", {}, file.error.advice), button("Try again", () => retryFiles([file]), { kind: "small", picture: icon("retry", 16) })) : "",
    file.status === "processing" || file.status === "pending" ? el("p", { class: "notice" }, file.message) : "",
    moments.length ? el("section", {}, el("h3", {}, moments.length > 1 ? `Found at ${moments.length} places` : "Found here"), el("ul", { class: "moments" }, moments)) : "",
    file.summary ? el("p", { class: "summary-text", dir: "auto" }, ...(described ? highlighted(described.text, described.highlights) : [file.summary])) : "",
    file.labels?.length ? el("ul", { class: "labels", "aria-label": "Labels" }, file.labels.map((label) => el("li", {}, label))) : "",
    isFound() && shownListing()?.answer?.search_id ? feedbackFor(shownListing().answer.search_id, file) : "",
    el("div", { class: "tools" },
      button("Download", () => download(file), { kind: "small", picture: icon("download", 18) }),
      failed ? "" : button("More like this", () => showSimilar(file), { kind: "small", picture: icon("similar", 18) }),
      failed ? "" : button("Process again", () => processAgain(file), { kind: "small", picture: icon("retry", 18) }),
      button("Delete", () => deleteFiles([file]), { kind: "small", picture: icon("trash", 18) }),
      pictureButton("Keyboard shortcuts", icon("keyboard", 18), openHelp, { kind: "quiet small" })),
    textOf(file),
    detailsOf(file),
  ].filter((part) => part !== "");
}
