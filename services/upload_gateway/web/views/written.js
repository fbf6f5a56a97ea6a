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
      if (drawn[index]?.length !== paragraph.text.length) {
        // Only the last one grows, so what takes its place is the last one too.
        drawn[index]?.parts.forEach((part) => part.remove());
        drawn[index] = { parts: set(paragraph, before), length: paragraph.text.length };
        body.append(...drawn[index].parts);
      }
      before = place(paragraph, file);
    });
  };
  const set = (paragraph, before) => {
    const opening = openingOf(paragraph, file);
    const here = placeBeside(paragraph, file);
    const above = opening ? marked(paragraph.text, moments, 0, opening.length) : [here === before ? "" : here];
    const below = marked(paragraph.text, moments, opening ? opening.length + 1 : 0);
    return [el(heading, { class: "place", dir: "auto" }, ...above), el("p", { dir: "auto" }, ...below)].filter((part) => part.hasChildNodes());
  };
  const readOn = growing(box, text, draw);
  const find = async (moment) => {
    const at = moments.indexOf(moment);
    const found = () => [...body.querySelectorAll(`[data-moment="${at}"]`)];
    while (at >= 0 && !found().length && !text.isWhole) await readOn();
    body.querySelectorAll(".here").forEach((one) => one.classList.remove("here"));
    found().forEach((one) => one.classList.add("here"));
    (found().find((one) => one.querySelector("mark")) ?? found()[0])?.scrollIntoView({ block: "center" });
  };
  return { box, find };
}

// The line that names the section, where the text opens with it: it is set as a heading.
const openingOf = (one, file) => (one.section && place(one, file) === one.section && `${one.text}\n`.startsWith(`${one.section}\n`) ? one.section : "");

function marked(text, moments, from = 0, to = text.length) {
  const places = moments.map((moment, index) => whereIs(moment, index, text)).filter(Boolean).map((one) => within(one, from, to)).sort((a, b) => a.at - b.at);
  const parts = [];
  let read = from;
  for (const { at, words, ranges, index } of places) {
    if (at < read || !words) continue;
    parts.push(text.slice(read, at), el("span", { "data-moment": index }, ...highlighted(words, ranges)));
    read = at + words.length;
  }
  return [...parts, text.slice(read, to)].filter((part) => part !== "");
}

// A snippet is a piece of the text, between dots where it was cut out.
function whereIs(moment, index, text) {
  const lead = moment.text.startsWith("…") ? 1 : 0;
  const words = moment.text.slice(lead, moment.text.endsWith("…") ? -1 : undefined);
  const at = text.indexOf(words);
  return at < 0 ? null : { at, words, index, ranges: (moment.highlights ?? []).map(([start, stop]) => [start - lead, stop - lead]) };
}

// As much of a snippet as lies there: it may span a heading and what stands below it.
function within({ at, words, index, ranges }, from, to) {
  const start = Math.max(at, from);
  const kept = words.slice(start - at, Math.max(to - at, 0));
  const [skipped, length] = [words.slice(0, start - at), kept].map((part) => Array.from(part).length);
  const inside = (point) => Math.min(Math.max(point - skipped, 0), length);
  return { at: start, words: kept, index, ranges: ranges.map(([one, other]) => [inside(one), inside(other)]).filter(([one, other]) => one < other) };
}
