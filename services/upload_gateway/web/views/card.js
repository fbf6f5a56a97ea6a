// Turns one file, listed or found, into a card: picture, name, state in words, and the best moment found in it.

import { signedUrl } from "../api.js";
import { el, excerpt, highlighted, pictureButton } from "../dom.js";
import { bytes, clock, day, isUnderWay, place } from "../format.js";
import { icon, ofKind } from "../icons.js";
import { chosen } from "../preferences.js";
import { isSelected, select } from "../selection.js";
import { pictured, thumbnail } from "./thumbnail.js";

const HOVER_MS = 350;

export function card(file, index, { open, remove, similar }) {
  const moment = file.moments?.[0];
  const underWay = isUnderWay(file);
  const thumb = picture(file, moment);
  if (underWay) thumb.append(el("progress", { max: 100, value: file.progress, "aria-label": `Progress of ${file.filename}` }));
  const facts = underWay || file.status === "failed" ? file.message : [bytes(file.size_bytes), day(file.created_at)].filter(Boolean).join(" · ");
  const text = el("span", { class: "text" },
    el("span", { class: "title", dir: "auto", title: file.filename }, file.filename),
    el("span", { class: `facts ${file.status === "failed" ? "problem" : ""}` }, facts),
    moment ? el("span", { class: "moment", dir: "auto" }, ...highlighted(...excerpt(moment.text, moment.highlights))) : "",
    !moment && file.moments && file.summary ? el("span", { class: "moment muted" }, file.summary) : "");
  const item = el("li", { class: "card", role: "listitem" },
    el("button", { class: "open", type: "button", onclick: () => open(file, index) }, thumb, text),
    tick(file, index),
    el("span", { class: "quick" },
      file.status === "completed" || moment ? pictureButton(`More like ${file.filename}`, icon("similar", 18), () => similar(file), { kind: "over" }) : "",
      pictureButton(`Delete ${file.filename}`, icon("trash", 18), () => remove([file]), { kind: "over" })));
  item.querySelector(".open").onkeydown = (event) => { if (event.key === "Delete") remove([file]); };
  if (file.file_type === "video" && file.thumbnail_url) previewOnHover(item, thumb, file, moment);
  return item;
}

export const blankCard = () => el("li", { class: "card blank", "aria-hidden": "true" }, el("span", { class: "thumb" }));

function tick(file, index) {
  const box = el("input", { type: "checkbox", checked: isSelected(file), "aria-label": `Select ${file.filename}` });
  box.onclick = (event) => select(file, index, box.checked, event.shiftKey);
  return el("label", { class: "tick" }, box);
}

function picture(file, moment) {
  const extension = /\.([a-z0-9]{1,5})$/i.exec(file.filename)?.[1] ?? "file";
  const thumb = el("span", { class: "thumb", "data-kind": file.file_type ?? "none" },
    el("span", { class: "sign", "aria-hidden": "true" }, ofKind(file.file_type), file.file_type === "document" || !file.file_type ? el("span", {}, extension) : ""));
  const url = pictured(file, moment);
  if (url) thumb.append(thumbnail(url));
  const where = moment ? place(moment, file) : "";
  if (where) thumb.append(el("span", { class: "badge" }, where));
  else if (file.properties?.duration_s) thumb.append(el("span", { class: "badge" }, clock(file.properties.duration_s)));
  return thumb;
}

function previewOnHover(item, thumb, file, moment) {
  let waiting = 0;
  const start = () => { waiting = setTimeout(() => play(thumb, file, moment), HOVER_MS); };
  const stop = () => { clearTimeout(waiting); thumb.querySelector("video")?.remove(); };
  item.onpointerenter = (event) => event.pointerType === "mouse" && chosen("play_previews") && !matchMedia("(prefers-reduced-motion: reduce)").matches && start();
  item.onpointerleave = stop;
}

async function play(thumb, file, moment) {
  const film = el("video", { muted: true, loop: true, playsInline: true, autoplay: true, tabIndex: -1, "aria-hidden": "true" });
  film.onplaying = () => film.classList.add("loaded");
  film.onerror = () => film.remove();
  const at = moment?.start_s ?? 0;
  try {
    const source = at > 0 ? `/file/${file.upload_id}/download?inline=true` : `/file/${file.upload_id}/preview`;
    film.src = `${await signedUrl(source)}${at > 0 ? `#t=${at}` : ""}`;
    if (thumb.matches(":hover, :hover *")) thumb.append(film);
  } catch { /* no preview of this film: its picture stays */ }
}
