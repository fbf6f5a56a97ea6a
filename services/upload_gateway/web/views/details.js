// Everything known of a file: what it is, what was done with it, how long that took and what it cost.

import { metadata } from "../api.js";
import { el } from "../dom.js";
import { bytes, clock, day, duration, instant, money } from "../format.js";

const STAGES = { received: "Receiving", "media-processor": "Reading", analyzer: "Understanding", embedder: "Preparing", search: "Indexing" };
const ORDER = Object.keys(STAGES);

const OFFICE = "application/vnd.openxmlformats-officedocument.";
const TYPES = { [`${OFFICE}wordprocessingml.document`]: "Word document", [`${OFFICE}spreadsheetml.sheet`]: "Excel workbook", [`${OFFICE}presentationml.presentation`]: "PowerPoint slides", "message/rfc822": "E-mail" };
const PAGES = { [`${OFFICE}spreadsheetml.sheet`]: "Sheets", [`${OFFICE}presentationml.presentation`]: "Slides" };

export function detailsOf(file) {
  const body = el("div", { class: "details-body" }, el("p", { class: "muted" }, "…"));
  fill(body, file);
  return el("details", { class: "details", open: true }, el("summary", {}, "Details"), body);
}

async function fill(body, file) {
  let known;
  try { known = await metadata(file.upload_id); } catch (error) { body.replaceChildren(el("p", { class: "muted" }, error.message)); return; }
  const steps = Object.entries(known.timings ?? {}).sort(([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b));
  const total = steps.reduce((sum, [, seconds]) => sum + seconds, 0);
  body.replaceChildren(
    table(facts(known)),
    ...(known.degradations?.length ? [el("h3", {}, "Left out"), el("ul", { class: "plain" }, known.degradations.map((one) => el("li", {}, `${one.step}: ${one.reason}`)))] : []),
    ...(total ? [el("h3", {}, `Processed in ${duration(total)}`), timings(steps, total)] : []),
    table([...costs(known), ["Trace", known.trace_id ? await traceLink(known.trace_id) : null]]));
}

function facts(known) {
  const p = known.properties ?? {};
  const sentAlong = Object.entries(known.metadata ?? {}).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
  return [
    ["Title", known.title && !known.filename.startsWith(known.title) ? known.title : null], ["Type", TYPES[known.media_type] ?? known.media_type], ["Size", bytes(known.size_bytes)],
    ["Dimensions", p.width && p.height ? `${p.width} × ${p.height}` : null], ["Length", p.duration_s ? clock(p.duration_s) : null],
    ["Frames per second", p.frame_rate ? Math.round(p.frame_rate * 100) / 100 : null], [PAGES[known.media_type] ?? "Pages", p.page_count], ["Camera", p.camera], ["Author", p.author],
    ["Taken", p.taken_at ? day(p.taken_at) : null], ["Language", known.language], ["Added", instant(known.created_at)],
    ["Attempts", known.attempts > 1 ? known.attempts : null], ...sentAlong,
  ];
}

function costs(known) {
  const usage = known.usage ?? {};
  const tokens = (usage.input_tokens ?? 0) + (usage.output_tokens ?? 0);
  return [["Tokens", tokens ? tokens.toLocaleString() : null], ["Cost", usage.cost_usd !== undefined ? money(usage.cost_usd) : null]];
}

function table(rows) {
  const given = rows.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return el("dl", {}, given.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value instanceof Node ? value : String(value))]));
}

function timings(steps, total) {
  return el("ul", { class: "timings" }, steps.map(([stage, seconds]) => el("li", {}, el("span", {}, STAGES[stage] ?? stage),
    el("progress", { class: "bar-figure", max: total, value: seconds, "aria-label": STAGES[stage] ?? stage }), el("span", { class: "figure" }, duration(seconds)))));
}

let tracesAreThere;
async function traceLink(id) {
  const href = `/traces/${id}`;
  tracesAreThere ??= fetch(href, { method: "HEAD" }).then((answer) => answer.ok, () => false);
  return (await tracesAreThere) ? el("a", { href, target: "_blank", rel: "noopener" }, el("code", {}, id)) : el("code", {}, id);
}
