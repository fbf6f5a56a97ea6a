// A list that is read on whenever its end comes into view. `draw` shows what is known; the answer reads on before that.

import { el } from "../dom.js";

export function growing(box, text, draw) {
  const end = el("div", { class: "end" });
  box.append(end);
  draw();
  const readOn = async () => {
    await text.more();
    draw();
    // An end that is still in view is told of only when it is watched anew.
    watch.unobserve(end);
    if (!text.isWhole) watch.observe(end);
  };
  const watch = new IntersectionObserver((seen) => seen.at(-1).isIntersecting && readOn().catch(() => {}));
  if (!text.isWhole) watch.observe(end);
  return readOn;
}
