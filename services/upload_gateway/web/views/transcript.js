// What is said and shown in a film or recording: each line plays it, and the one that is heard is marked.

import { el } from "../dom.js";
import { clock } from "../format.js";
import { FileText } from "../file_text.js";
import { growing } from "./growing.js";

// `follow(second)` marks what is heard then. Null if nothing is said.
export async function transcript(file, play) {
  const text = new FileText(file.upload_id);
  await text.more();
  if (!text.paragraphs.length) return null;
  const list = el("ol", {});
  const box = el("div", { class: "lines", tabIndex: 0, role: "region", "aria-label": "Transcript" }, list);
  const lines = [];
  const readOn = growing(box, text, () => {
    for (const line of text.paragraphs.slice(lines.length)) {
      const button = el("button", { type: "button", onclick: () => play(line) }, line.start_s === null ? "" : el("span", { class: "place" }, clock(line.start_s)), el("span", { dir: "auto" }, line.text));
      lines.push({ ...line, button });
      list.append(el("li", {}, button));
    }
  });
  let current = null;
  const follow = (second) => {
    const now = lines.findLast((line) => line.start_s !== null && line.start_s <= second);
    if (now === lines.at(-1) && !text.isWhole) readOn().catch(() => {});
    const heard = now && (now.end_s === null || second < now.end_s) ? now.button : null;
    if (heard === current) return;
    current?.removeAttribute("aria-current");
    heard?.setAttribute("aria-current", "true");
    current = heard;
    // Whoever is reading elsewhere in the list is not taken away from there.
    if (heard && !box.matches(":hover, :focus-within")) keepInView(box, heard);
  };
  return { box, follow };
}

function keepInView(box, line) {
  const above = line.offsetTop - box.offsetTop;
  if (above < box.scrollTop || above + line.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = above - box.clientHeight / 3;
}
