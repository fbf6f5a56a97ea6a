// What is written in a file: paragraphs below their pages or sections, with what was found marked.

import { el, highlighted } from "../dom.js";
import { place, placeBeside } from "../format.js";
import { FileText } from "../file_text.js";
import { growing } from "./growing.js";

// `find(moment)` brings a moment's words into view. Null if nothing is written.
export async function written(file, heading) {
  const text = new FileText(file.upload_id);
  await text.more();
  if (!text.paragraphs.length) return null;
  const moments = (file.moments ?? []).filter((moment) => moment.source !== "summary");
  const body = el("div", { class: "written" });
  const box = el("div", {}, body);
  const drawn = [];
  const draw = () => {
    let before = "";
    text.paragraphs.forEach((paragraph, index) => {
      const here = placeBeside(paragraph);
      if (!drawn[index]) {
        drawn[index] = { element: el("p", { dir: "auto" }), length: 0 };
        if (here && here !== before) body.append(el(heading, { class: "place" }, here));
        body.append(drawn[index].element);
      }
      if (drawn[index].length !== paragraph.text.length) {
        drawn[index].element.replaceChildren(...marked(paragraph.text, moments));
        drawn[index].length = paragraph.text.length;
      }
      before = place(paragraph);
    });
  };
  const readOn = growing(box, text, draw);
  const find = async (moment) => {
    const at = moments.indexOf(moment);
    const found = () => body.querySelector(`[data-moment="${at}"]`);
    while (at >= 0 && !found() && !text.isWhole) await readOn();
    body.querySelector(".here")?.classList.remove("here");
    found()?.classList.add("here");
    found()?.scrollIntoView({ block: "center" });
  };
  return { box, find };
}

function marked(text, moments) {
  const places = moments.map((moment, index) => whereIs(moment, index, text)).filter(Boolean).sort((a, b) => a.at - b.at);
  const parts = [];
  let read = 0;
  for (const { at, words, ranges, index } of places) {
    if (at < read) continue;
    parts.push(text.slice(read, at), el("span", { "data-moment": index }, ...highlighted(words, ranges)));
    read = at + words.length;
  }
  return [...parts, text.slice(read)].filter((part) => part !== "");
}

// A snippet is a piece of the text, between dots where it was cut out.
function whereIs(moment, index, text) {
  const lead = moment.text.startsWith("…") ? 1 : 0;
  const words = moment.text.slice(lead, moment.text.endsWith("…") ? -1 : undefined);
  const at = text.indexOf(words);
  return at < 0 ? null : { at, words, index, ranges: (moment.highlights ?? []).map(([start, stop]) => [start - lead, stop - lead]) };
}
