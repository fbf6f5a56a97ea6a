// Shows a plain text file with the passage that was found marked and in view.

import { signedUrl } from "../api.js";
import { el } from "../dom.js";

const MOST = 2_000_000;

export async function textPage(file, moment, instead) {
  let text;
  try {
    const answer = await fetch(await signedUrl(`/file/${file.upload_id}/download?inline=true`), { headers: { Range: `bytes=0-${MOST - 1}` } });
    if (!answer.ok) throw new Error("not readable");
    text = (await answer.text()).normalize();
  } catch {
    return el("div", { class: "instead" }, ...(await instead()));
  }
  const [start, end] = moment ? whereIs(moment.text, text) : [0, 0];
  const found = el("mark", {}, text.slice(start, end));
  const page = el("pre", { class: "text-page", tabIndex: 0, "aria-label": file.filename }, text.slice(0, start), end > start ? found : "", text.slice(end));
  if (end > start) requestAnimationFrame(() => { page.scrollTop = Math.max(found.offsetTop - page.clientHeight / 3, 0); });
  return page;
}

// A snippet was cleaned of line breaks and markup: its words are looked for with anything but words between them.
function whereIs(snippet, text) {
  const words = snippet.match(/[\p{L}\p{N}]+/gu) ?? [];
  for (const length of [words.length, 12, 6]) {
    if (!words.length || length > words.length) continue;
    const pattern = words.slice(0, Math.min(length, 60)).join("[^\\p{L}\\p{N}]+");
    const match = new RegExp(pattern, "u").exec(text);
    if (match) return [match.index, match.index + match[0].length];
  }
  return [0, 0];
}
