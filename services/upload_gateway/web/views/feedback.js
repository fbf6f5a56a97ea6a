// Thumbs for a found file: up at once, down with a word about what was wrong.

import { feedback } from "../api.js";
import { button, el, pictureButton } from "../dom.js";
import { icon } from "../icons.js";
import { attempt } from "./toasts.js";

const REASONS = ["Not what I looked for", "Right file, wrong place", "Should be further down"];
const given = new Map();

export function feedbackFor(searchId, file) {
  const key = `${searchId}|${file.upload_id}`;
  const box = el("div", { class: "feedback" });
  const send = async (rating, text) => {
    const sent = await attempt(async () => {
      await feedback({ search_id: searchId, upload_id: file.upload_id, rating, ...(text ? { text } : {}) });
      return true;
    });
    if (!sent) return;
    given.set(key, rating);
    box.replaceChildren(thanks());
    box.querySelector("p").focus();
  };
  box.replaceChildren(...(given.has(key) ? [thanks()] : question(box, send)));
  return box;
}

const thanks = () => el("p", { class: "muted", tabIndex: -1, role: "status" }, "Thank you.");

function question(box, send) {
  return [el("span", {}, "Is this what you looked for?"),
    pictureButton("Yes, a good match", icon("thumb_up", 18), () => send(1)),
    pictureButton("No, not a good match", icon("thumb_down", 18), () => { box.replaceChildren(...why(send)); box.querySelector("button").focus(); })];
}

function why(send) {
  const other = el("input", { type: "text", maxLength: 500, "aria-label": "What was wrong", placeholder: "Something else…" });
  const form = el("form", { class: "why" }, REASONS.map((reason) => button(reason, () => send(0, reason), { kind: "small" })),
    el("div", { class: "other" }, other, el("button", { class: "button small", type: "submit" }, "Send")));
  form.onsubmit = (event) => { event.preventDefault(); if (other.value.trim()) send(0, other.value.trim()); };
  return [el("span", {}, "What was wrong?"), form];
}
