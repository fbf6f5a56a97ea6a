// Short messages at the foot of the page, with at most one thing to do about them.

import { $, el, pictureButton } from "../dom.js";
import { icon } from "../icons.js";

export function toast(message, action, run) {
  const item = el("div", { class: "toast" }, el("span", {}, message));
  let timer = 0;
  let before = null;
  const leave = () => {
    clearTimeout(timer);
    const hadFocus = item.contains(document.activeElement);
    item.remove();
    if (hadFocus) (before?.isConnected ? before : $("content")).focus();
  };
  const stay = () => { clearTimeout(timer); timer = setTimeout(leave, action ? 10_000 : 5000); };
  if (action) item.append(el("button", { type: "button", class: "act", onclick: () => { leave(); run(); } }, action));
  item.append(pictureButton("Dismiss", icon("close", 16), leave));
  item.onpointerenter = () => clearTimeout(timer);
  item.onpointerleave = stay;
  item.addEventListener("focusin", ({ relatedTarget }) => { clearTimeout(timer); before = item.contains(relatedTarget) ? before : relatedTarget; });
  item.addEventListener("focusout", stay);
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
