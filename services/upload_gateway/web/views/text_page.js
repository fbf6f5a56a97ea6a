// Shows a plain text file as it is, at the passage that was found, with the words in it marked.

import { signedUrl } from "../api.js";
import { el, highlighted } from "../dom.js";

const SHOWN = 2_000_000;
const MOST_READ = 20_000_000;

// Null for what is not UTF-8 or does not hold the passage as it stands in the extracted text: that text shows it then.
export async function textPage(file, moment) {
  const pattern = moment && moment.source !== "metadata" ? patternOf(moment) : null;
  const read = await readAround(file, pattern).catch(() => null);
  if (!read || (pattern && !read.match)) return null;
  const { text, match } = read;
  const from = match && text.length > SHOWN ? Math.max(match.index - SHOWN / 2, 0) : 0;
  const to = Math.min(from + SHOWN, text.length);
  const found = el("span", { class: "here" }, match ? marked(text, match) : "");
  const page = el("pre", { class: "text-page", tabIndex: 0, "aria-label": file.filename },
    text.slice(from, match ? match.index : to), found, match ? text.slice(match.index + match[0].length, to) : "");
  if (match) requestAnimationFrame(() => { page.scrollTop = Math.max((found.querySelector("mark") ?? found).offsetTop - page.clientHeight / 3, 0); });
  return { page, isPart: from > 0 || to < text.length || !read.isWhole };
}

// Reads on until the passage is there, and half of what is shown behind it.
async function readAround(file, pattern) {
  const answer = await fetch(await signedUrl(`/file/${file.upload_id}/download?inline=true`));
  if (!answer.ok) throw new Error("not readable");
  const chunks = answer.body.pipeThrough(new TextDecoderStream("utf-8", { fatal: true })).getReader();
  let text = "";
  let isWhole = false;
  const readTo = async (length) => {
    while (!isWhole && text.length < length) {
      const { done, value = "" } = await chunks.read();
      isWhole = done;
      text += value;
    }
    if (text.includes("\0")) throw new Error("no UTF-8");
    return cleaned(text);
  };
  let length = SHOWN;
  const beginning = await readTo(length);
  let match = pattern ? pattern.exec(beginning) : null;
  while (pattern && !match && !isWhole && length < MOST_READ) {
    length = Math.min(2 * length, MOST_READ);
    match = pattern.exec(await readTo(length));
  }
  const read = await readTo(match ? match.index + SHOWN / 2 : 0);
  chunks.cancel().catch(() => {});
  return { text: read, match, isWhole };
}

// As the extracted text is.
const cleaned = (text) => text.replace(/[\x01-\x08\x0b\x0e-\x1f\x7f]/g, "").normalize();

// The snippet with its highlights as groups. Where it has a space there may have been empty lines and signs of a heading.
function patternOf({ text, highlights }) {
  const parts = highlighted(text, highlights).map((part) => (part.nodeType ? `(${loosely(part.textContent)})` : loosely(part)));
  return new RegExp(parts.join(""), "du");
}

const loosely = (words) => words.replace(/[$()*+./?[\\\]^{|}]/g, "\\$&").replace(/\s+/g, "[\\s#]+").replaceAll("…", "…?");

function marked(text, match) {
  const parts = [];
  let at = match.index;
  for (const [start, end] of match.indices.slice(1)) {
    parts.push(text.slice(at, start), el("mark", {}, text.slice(start, end)));
    at = end;
  }
  return [...parts, text.slice(at, match.index + match[0].length)];
}
