// A small picture of a file or of a place in it, which shows itself once it is there.

import { signedLink } from "../api.js";
import { el } from "../dom.js";

const CROWD_MS = 90;

export const pictured = (file, moment) => moment?.thumbnail_url ?? file.thumbnail_url;

// Cards come and go while scrolling fast: only a picture that stays a moment asks for its bytes.
export function thumbnail(url) {
  const image = el("img", { alt: "", decoding: "async", draggable: false });
  image.onload = () => image.classList.add("loaded");
  image.onerror = () => image.remove();
  setTimeout(() => load(image, url), CROWD_MS);
  return image;
}

let patience = Promise.resolve();
async function load(image, url) {
  await patience;
  if (!image.isConnected) return;
  try { image.src = await signedLink(url); } catch (error) {
    if (error.status !== 429) { image.remove(); return; }
    patience = new Promise((resolve) => setTimeout(resolve, Math.max(error.retryAfter, 1) * 1000));
    load(image, url);
  }
}
