// What stands in place of something that could not be fetched, and how it is tried again.

import { button, el } from "../dom.js";
import { icon } from "../icons.js";

const AGAIN_MS = 2000;
// What goes on by itself, and after which time.
export const isAway = (error) => error.status === 0 || error.status === 503 || Boolean(error.isPutOff);
export const againAfter = ({ retryAfter }) => retryAfter * 1000 || AGAIN_MS;

export const PUT_OFF = "Too many requests just now";

// Refused for what was asked: the same would be refused again.
const HOPELESS = [413, 415, 422];

function inWords(error) {
  if (error.isPutOff) return [PUT_OFF, "It goes on by itself in a moment."];
  if (isAway(error)) return ["The server does not answer", "It goes on by itself as soon as it answers."];
  return ["That did not work", error.message];
}

export function trouble(error, again) {
  const [title, text] = inWords(error);
  return [icon("warning", 56), el("h2", {}, title), el("p", { class: "muted" }, text), HOPELESS.includes(error.status) ? "" : button("Try again", again, { picture: icon("retry", 18) })];
}
