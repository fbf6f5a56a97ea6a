// What stands in place of something that could not be fetched, and how it is tried again.

import { button, el } from "../dom.js";
import { icon } from "../icons.js";

export const AGAIN_MS = 2000;
export const isAway = (error) => error.status === 0 || error.status === 503;

// Refused for what was asked: the same would be refused again.
const HOPELESS = [413, 415, 422];

export function trouble(error, again) {
  const [title, text] = isAway(error) ? ["The server does not answer", "It goes on by itself as soon as it answers."] : ["That did not work", error.message];
  return [icon("warning", 56), el("h2", {}, title), el("p", { class: "muted" }, text), HOPELESS.includes(error.status) ? "" : button("Try again", again, { picture: icon("retry", 18) })];
}
