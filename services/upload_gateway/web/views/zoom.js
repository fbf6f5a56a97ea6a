// Makes a picture one can look into: wheel, keys, double click, two fingers, and moved by dragging.

import { el } from "../dom.js";

const MOST = 8;

export function zoomable(image) {
  const frame = el("div", { class: "zoom" }, image);
  const at = { scale: 1, x: 0, y: 0 };
  const fingers = new Map();

  const place = () => {
    const [limitX, limitY] = [(frame.clientWidth * (at.scale - 1)) / 2, (frame.clientHeight * (at.scale - 1)) / 2];
    at.x = Math.min(Math.max(at.x, -limitX), limitX);
    at.y = Math.min(Math.max(at.y, -limitY), limitY);
    image.style.transform = `translate(${at.x}px, ${at.y}px) scale(${at.scale})`;
    frame.classList.toggle("zoomed", at.scale > 1);
  };
  const change = (factor, x = 0, y = 0) => {
    const scale = factor === 0 ? 1 : Math.min(Math.max(at.scale * factor, 1), MOST);
    const grown = scale / at.scale;
    [at.x, at.y] = [x - (x - at.x) * grown, y - (y - at.y) * grown];
    at.scale = scale;
    place();
  };
  const fromCentre = (event) => {
    const box = frame.getBoundingClientRect();
    return [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
  };
  const spread = () => {
    const [a, b] = [...fingers.values()];
    return Math.hypot(a.x - b.x, a.y - b.y);
  };

  frame.addEventListener("wheel", (event) => { event.preventDefault(); change(Math.exp(-event.deltaY / 400), ...fromCentre(event)); }, { passive: false });
  frame.ondblclick = (event) => change(at.scale > 1 ? 0 : 2.5, ...fromCentre(event));
  frame.onpointerdown = (event) => { fingers.set(event.pointerId, { x: event.clientX, y: event.clientY }); frame.setPointerCapture(event.pointerId); };
  frame.onpointerup = frame.onpointercancel = (event) => fingers.delete(event.pointerId);
  frame.onpointermove = (event) => {
    const last = fingers.get(event.pointerId);
    if (!last) return;
    const before = fingers.size === 2 ? spread() : 0;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (before) change(spread() / before, ...fromCentre(event));
    else { at.x += event.clientX - last.x; at.y += event.clientY - last.y; place(); }
  };
  return { frame, change };
}
