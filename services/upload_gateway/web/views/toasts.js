// Short messages at the foot of the page, with at most one thing to do about them.

import { $, el, pictureButton } from "../dom.js";
import { icon } from "../icons.js";

export function toast(message, action, run) {
  const item = el("div", { class: "toast" }, el("span", {}, message));
  let timer = 0;
  const leave = () => { clearTimeout(timer); item.remove(); };
  const stay = () => { clearTimeout(timer); timer = setTimeout(leave, action ? 10_000 : 5000); };
  if (action) item.append(el("button", { type: "button", class: "act", onclick: () => { leave(); run(); } }, action));
  item.append(pictureButton("Dismiss", icon("close", 16), leave));
  item.onpointerenter = item.onfocusin = () => clearTimeout(timer);
  item.onpointerleave = item.onfocusout = stay;
  // A modal dialog hides the rest of the page from assistive technology and lies above it.
  (document.querySelector("#viewer[open]") ?? document.body).append($("toasts"));
  $("toasts").replaceChildren(item);
  stay();
}

export function spoken(message) {
  $("spoken").textContent = message;
}

export async function attempt(work) {
  try { return await work(); } catch (error) {
    if (error.name !== "AbortError") toast(error.message);
    return undefined;
  }
}
