// Opens a file at the place that was found: second of a film or recording, page of a document.

import { call, signedUrl } from "/web/api.js";
import { $, bytes, clock, day, el, highlighted, place, toast } from "/web/dom.js";

const dialog = $("viewer");
let showing = null;

export function openViewer(file, moment, { step, remove, again }) {
  showing = file.upload_id;
  $("viewer-title").textContent = file.filename;
  $("stage").replaceChildren();
  $("about").replaceChildren(...about(file, moment, remove, again));
  dialog.onkeydown = (event) => {
    if (event.target.closest("video, audio, input")) return;
    if (event.key === "ArrowRight") step(1);
    if (event.key === "ArrowLeft") step(-1);
  };
  if (!dialog.open) dialog.showModal();
  show(file, moment);
  describe(file);
}

dialog.addEventListener("close", () => { showing = null; $("stage").replaceChildren(); });
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
$("viewer-close").onclick = () => dialog.close();
export const closeViewer = () => dialog.close();

function about(file, moment, remove, again) {
  const moments = (file.moments ?? []).map((one) => el("li", {}, el("button", {
    type: "button", "aria-current": String(one === moment),
    onclick: (event) => {
      event.currentTarget.closest("ul").querySelectorAll("button").forEach((b) => b.setAttribute("aria-current", "false"));
      event.currentTarget.setAttribute("aria-current", "true");
      show(file, one);
    },
  }, place(one) ? el("span", { class: "place" }, `${place(one)} `) : "", ...highlighted(one.text, one.highlights))));
  return [
    file.summary ? el("p", {}, file.summary) : "",
    file.labels?.length ? el("ul", { class: "labels" }, ...file.labels.map((label) => el("li", {}, label))) : "",
    moments.length ? el("h3", {}, "Found here") : "",
    moments.length ? el("ul", { class: "moments" }, ...moments) : "",
    el("dl", { id: "facts" }),
    el("div", { class: "tools" },
      el("button", { class: "button small", type: "button", onclick: () => download(file) }, "Download"),
      el("button", { class: "button small", type: "button", onclick: () => again(file) }, "Process again"),
      el("button", { class: "button small", type: "button", onclick: () => remove(file) }, "Delete")),
  ].filter((part) => part !== "");
}

async function show(file, moment) {
  const stage = $("stage");
  const type = file.media_type ?? "";
  const started = stage.querySelector("video, audio");
  if (started && moment?.start_s !== undefined) {
    started.currentTime = moment.start_s ?? 0;
    started.play().catch(() => {});
    return;
  }
  try {
    const inPlace = /^(image|video|audio)\//.test(type) || type === "application/pdf";
    const original = inPlace ? (await signedUrl(`/file/${file.upload_id}/download?inline=true`)).url : null;
    if (showing !== file.upload_id) return;
    stage.replaceChildren(await medium(file, moment, type, original));
  } catch (error) {
    stage.replaceChildren(el("p", {}, error.message));
  }
}

async function medium(file, moment, type, original) {
  if (type.startsWith("image/")) return el("img", { src: original, alt: file.summary ?? file.filename, onerror: (event) => poster(file).then((image) => event.target.replaceWith(image)) });
  if (type.startsWith("video/")) return player("video", original, moment);
  if (type.startsWith("audio/")) {
    return el("div", { class: "sound" }, file.thumbnail_url ? await poster(file) : "", player("audio", original, moment));
  }
  if (type === "application/pdf") return el("iframe", { src: `${original}#page=${moment?.page ?? 1}&navpanes=0`, title: file.filename });
  return file.thumbnail_url ? poster(file) : el("p", {}, "There is no picture of this file. Download it to read it.");
}

function player(name, src, moment) {
  const element = el(name, { controls: true, preload: "metadata", src });
  if (name === "video") element.playsInline = true;
  element.onloadedmetadata = () => {
    if (moment?.start_s) element.currentTime = moment.start_s;
  };
  return element;
}

async function poster(file) {
  const { url } = await signedUrl(`/file/${file.upload_id}/thumbnail`);
  return el("img", { class: "page", src: url, alt: `First view of ${file.filename}` });
}

async function describe(file) {
  const metadata = (await call("GET", `/file/${file.upload_id}/metadata`)).data;
  if (showing !== file.upload_id) return;
  const p = metadata.properties ?? {};
  const seconds = Object.values(metadata.timings).reduce((sum, one) => sum + one, 0);
  const facts = [
    ["Title", metadata.title !== metadata.filename ? metadata.title : null],
    ["Type", metadata.media_type],
    ["Size", bytes(metadata.size_bytes)],
    ["Dimensions", p.width && p.height ? `${p.width} × ${p.height}` : null],
    ["Length", p.duration_s ? clock(p.duration_s) : null],
    ["Pages", p.page_count],
    ["Camera", p.camera],
    ["Author", p.author],
    ["Taken", p.taken_at ? day(p.taken_at) : null],
    ["Added", day(metadata.created_at)],
    ["Processed in", seconds ? `${seconds.toFixed(1)} s` : null],
  ];
  $("facts").replaceChildren(...facts.filter(([, value]) => value).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, String(value))]));
}

async function download(file) {
  try {
    const { url } = await signedUrl(`/file/${file.upload_id}/download`);
    el("a", { href: url, rel: "noreferrer" }).click();
  } catch (error) {
    toast(error.message);
  }
}
