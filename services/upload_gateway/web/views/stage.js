// The large side of the viewer: plays, shows or opens the original at the place that was found, or the best there is instead.

import { signedLink, signedUrl } from "../api.js";
import { button, el, highlighted, pictureButton } from "../dom.js";
import { place, placeBeside } from "../format.js";
import { icon } from "../icons.js";
import { download } from "../actions.js";
import { player } from "./player.js";
import { textPage } from "./text_page.js";
import { pictured } from "./thumbnail.js";
import { attempt } from "./toasts.js";
import { written } from "./written.js";
import { zoomable } from "./zoom.js";

const PDF = "application/pdf";
const PLAIN = /^text\/(plain|markdown)$/;
const UNREADABLE = ["encrypted", "corrupt"];
const finders = new WeakMap();
let zoom = null;
let round = 0;

export const zoomBy = (factor) => zoom?.(factor);

export function clearStage(stage) {
  round += 1;
  zoom = null;
  stage.replaceChildren();
}

// Film and sound go on playing from another moment, a text is scrolled there; false when the stage has to be built anew.
export function seek(stage, moment) {
  if (!stage.querySelector(".opener") && find(stage, moment)) return true;
  const player = stage.querySelector("video, audio");
  if (!player || moment.start_s === null || moment.start_s === undefined) return false;
  player.currentTime = moment.start_s;
  player.play().catch(() => {});
  return true;
}

export async function showOnStage(stage, file, moment) {
  clearStage(stage);
  const mine = round;
  stage.append(el("span", { class: "loading", "aria-label": "Loading" }));
  let shown;
  try {
    shown = await content(file, moment?.source === "summary" ? undefined : moment);
  } catch (error) {
    shown = [el("p", {}, error.code === "not_found" ? "The file is not stored yet." : error.message)];
  }
  if (mine !== round) return;
  stage.replaceChildren(...shown);
  if (moment) find(stage, moment);
}

// Brings a moment's words into view where the text is read; false where it is not.
function find(stage, moment) {
  const finder = finders.get(stage.querySelector(".reading"));
  finder?.(moment).catch(() => {});
  return Boolean(finder);
}

async function content(file, moment) {
  const type = file.media_type ?? "";
  if (UNREADABLE.includes(file.error?.code)) return [note(file, file.message)];
  if (type.startsWith("image/")) return picture(file);
  if (type.startsWith("video/")) return film(file, moment);
  if (type.startsWith("audio/")) return sound(file, moment);
  if (type === PDF) return pdf(file, moment);
  const text = PLAIN.test(type) ? await textPage(file, moment) : null;
  if (!text) return readingPage(file, moment);
  return text.isPart ? [text.page, note(file, "This is a part of the text. Download it to read all of it.")] : [text.page];
}

const original = (file) => `/file/${file.upload_id}/download?inline=true`;

async function picture(file) {
  const image = el("img", { alt: file.summary || file.filename, draggable: false, src: await signedUrl(original(file)) });
  const instead = ["preview", "thumbnail"];
  image.onerror = async () => {
    const next = instead.shift();
    if (!next) { frame.parentElement.querySelector(".stage-note")?.remove(); image.replaceWith(el("p", {}, "This browser cannot show this picture. Download it to see it.")); return; }
    try {
      image.src = await signedUrl(`/file/${file.upload_id}/${next}`);
      if (!frame.nextSibling?.matches(".stage-note")) frame.after(note(file, "This browser cannot show this format: this is a copy that it can."));
    } catch { image.onerror(); }
  };
  const { frame, change } = zoomable(image);
  zoom = change;
  const tools = el("div", { class: "stage-tools" },
    pictureButton("Zoom out", icon("zoom_out"), () => change(1 / 1.5), { kind: "over" }),
    pictureButton("Zoom in", icon("zoom_in"), () => change(1.5), { kind: "over" }));
  return [frame, tools];
}

async function film(file, moment) {
  return [await player("video", file, original(file), moment, (element, hadBegun) => (hadBegun ? broken(file, element) : instead(file, element)))];
}

async function instead(file, element) {
  element.onloadedmetadata = null;
  element.onerror = () => element.replaceWith(note(file, "Browsers do not play this format."));
  try {
    element.src = await signedUrl(`/file/${file.upload_id}/preview`);
    element.after(note(file, "Browsers do not play this format: this is a preview of its first 30 seconds."));
  } catch { element.onerror(); }
}

async function sound(file, moment) {
  const element = await player("audio", file, original(file), moment, (_, hadBegun) => (hadBegun ? broken(file, element) : element.replaceWith(note(file, "This browser does not play this format."))));
  return [el("div", { class: "sound" }, file.thumbnail_url ? await pageImage(file.thumbnail_url, "") : icon("audio", 64), element)];
}

const broken = (file, element) => element.after(note(file, "It cannot be played from here on."));

const note = (file, text) => el("div", { class: "stage-note" }, el("p", {}, text), button("Download the original", () => download(file), { kind: "small", picture: icon("download", 18) }));

async function pdf(file, moment) {
  if (!navigator.pdfViewerEnabled || innerWidth < 560) return readingPage(file, moment);
  const page = moment?.page ?? 1;
  const frame = el("iframe", { src: `${await signedUrl(original(file))}#page=${page}&navpanes=0`, title: `${file.filename}, page ${page}` });
  return moment ? [el("div", { class: "beside" }, passage(file, moment, { tabIndex: 0, role: "region", "aria-label": "What was found" }), frame)] : [frame];
}

function passage(file, moment, properties = {}) {
  return el("blockquote", { class: "passage", ...properties }, placeBeside(moment, file) ? el("span", { class: "place" }, placeBeside(moment, file)) : "", el("p", { dir: "auto" }, ...highlighted(moment.text, moment.highlights)));
}

// What cannot be opened in a page is read from its text, or from the passages that were found, beside the page they stand on or the first.
async function readingPage(file, moment) {
  const url = pictured(file, moment);
  const shown = url ? await pageImage(url, `${moment?.thumbnail_url ? place(moment, file) : "First page"} of ${file.filename}`) : "";
  const text = await written(file, "h3").catch(() => null);
  const passages = moment ? [moment, ...file.moments.filter((one) => one !== moment)] : [];
  if (shown && !text && !passages.length && file.media_type !== PDF) return [shown, note(file, "Its first page. Download it to read all of it.")];
  const read = text ? [text.box] : [...passages.map((one) => passage(file, one)), shown ? "" : note(file, "Download it to read it.")];
  const reading = el("div", { class: "reading", tabIndex: 0, role: "region", "aria-label": "What is in the file" }, shown,
    el("div", { class: "passages" }, file.media_type === PDF ? opener(file, moment) : "", ...read));
  if (text) finders.set(reading, text.find);
  return [reading];
}

// Its address is asked for when it is wanted: one that stands in the page would soon be over.
function opener(file, moment) {
  const page = moment?.page ?? 1;
  return button(moment ? `Open at page ${page}` : "Open the PDF", () => openPage(file, page), { kind: "small opener", picture: icon("document", 18) });
}

function openPage(file, page) {
  // Only before the first await may a click open a tab.
  const tab = window.open("", "_blank");
  return attempt(async () => {
    try {
      const url = `${await signedUrl(original(file))}#page=${page}`;
      if (tab) tab.opener = null;
      (tab ?? window).location.replace(url);
    } catch (error) {
      tab?.close();
      throw error;
    }
  });
}

async function pageImage(url, alt) {
  return el("img", { class: "page", alt, src: await signedLink(url) });
}
