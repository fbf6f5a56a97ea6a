// Turns files, listed or found, into cards of the grid.

import { signedUrl } from "/web/api.js";
import { bytes, day, el, highlighted, place } from "/web/dom.js";

const SIGNS = { image: "▦", video: "▶", audio: "♪" };

const visible = new IntersectionObserver((entries) => {
  for (const entry of entries.filter((one) => one.isIntersecting)) {
    visible.unobserve(entry.target);
    entry.target.load();
  }
}, { rootMargin: "300px" });

function picture(file) {
  const extension = /\.([a-z0-9]{1,5})$/i.exec(file.filename)?.[1] ?? "file";
  const sign = file.file_type === "document" || !file.file_type
    ? el("span", { class: "sign short", "aria-hidden": "true" }, extension)
    : el("span", { class: "sign", "aria-hidden": "true" }, SIGNS[file.file_type]);
  const thumb = el("span", { class: "thumb" }, sign);
  if (file.thumbnail_url) {
    const image = el("img", { alt: "", decoding: "async" });
    if (file.file_type === "document" || file.file_type === "audio") image.classList.add("whole");
    image.onload = () => image.classList.add("loaded");
    thumb.load = async () => {
      try { image.src = (await signedUrl(`/file/${file.upload_id}/thumbnail`)).url; } catch { image.remove(); }
    };
    thumb.append(image);
    visible.observe(thumb);
  }
  return thumb;
}

export function card(file, { open, remove }) {
  const moment = file.moments?.[0];
  const thumb = picture(file);
  const underway = file.status === "pending" || file.status === "processing";
  if (moment && place(moment)) thumb.append(el("span", { class: "badge" }, place(moment)));
  if (underway) thumb.append(el("progress", { max: 100, value: file.progress, "aria-label": "Progress" }));
  const facts = underway ? file.message : [bytes(file.size_bytes), day(file.created_at)].filter(Boolean).join(" · ");
  const text = el("span", { class: "text" },
    el("span", { class: "title", title: file.filename }, file.filename),
    el("span", { class: "facts" }, facts),
    moment ? el("span", { class: "moment" }, ...highlighted(moment.text, moment.highlights)) : "",
    !moment && !underway && file.summary ? el("span", { class: "moment muted" }, file.summary) : "",
  );
  return el("li", { class: "card" },
    el("button", { class: "open", type: "button", onclick: () => open(file, moment) }, thumb, text),
    el("button", { class: "remove", type: "button", "aria-label": `Delete ${file.filename}`, title: "Delete", onclick: () => remove(file) }, "✕"),
  );
}
