// Plays film and sound from the second that was found, and goes on where it was once its signed link is over.

import { freshUrl, signedUrl } from "../api.js";
import { el } from "../dom.js";
import { connection } from "../live.js";
import { attempt } from "./toasts.js";

const SAME_PLACE_S = 1;

// `giveUp(element, hadBegun)` is called when a new link fails where the last one did.
export async function player(name, file, path, moment, giveUp) {
  const element = el(name, { controls: true, preload: "auto", src: await signedUrl(path), "aria-label": file.filename });
  if (name === "video") element.playsInline = true;
  let [at, plays] = [moment?.start_s ?? 0, false];
  let hasBegun = false;
  let failedAt = null;
  const isWhereItFailed = () => failedAt !== null && Math.abs(at - failedAt) < SAME_PLACE_S;

  element.onloadedmetadata = () => {
    hasBegun = true;
    if (at) element.currentTime = at;
    if (plays) element.play().catch(() => {});
  };
  element.ontimeupdate = () => { if (Math.abs(element.currentTime - at) >= SAME_PLACE_S && hasBegun) failedAt = null; };
  element.onerror = () => {
    if (hasBegun) [at, plays] = [element.currentTime, !element.paused];
    if (isWhereItFailed()) { giveUp(element, hasBegun); return; }
    failedAt = at;
    renew();
  };
  const renew = () => attempt(async () => {
    try {
      const url = await freshUrl(path);
      hasBegun = false;
      element.src = url;
    } catch (error) {
      if (error.status === 0) connection.addEventListener("back", () => element.isConnected && renew(), { once: true });
      throw error;
    }
  });
  return element;
}
