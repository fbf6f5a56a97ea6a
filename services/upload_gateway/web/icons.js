// Draws the page's pictures: 24 × 24 outlines, built node by node.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.3 15.3 20 20",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  image: "M4 5h16v14H4zM4 16l4.5-4.5 4 4L15 13l5 5M15.5 9.5h.01",
  video: "M3 6h12v12H3zM15 10.5l6-3.5v10l-6-3.5",
  audio: "M9 18V6l11-2v12M9 18a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0ZM20 16a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Z",
  document: "M6 3h8l5 5v13H6zM14 3v5h5M9 13h7M9 17h5",
  trash: "M4 7h16M9 7V4h6v3M6.5 7l1 13h9l1-13M10.5 11v5M13.5 11v5",
  restore: "M4 5v5h5M4.6 10A8 8 0 1 1 4 14",
  retry: "M20 5v5h-5M19.4 10A8 8 0 1 0 20 14",
  download: "M12 4v11M7.5 11 12 15.5 16.5 11M5 20h14",
  sliders: "M4 7h9M17 7h3M15 5v4M4 17h3M11 17h9M9 15v4M4 12h13M19 12h1M17 10v4",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5c1-4 4-6 7.5-6s6.5 2 7.5 6",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  down: "M6 9.5l6 6 6-6",
  up: "M6 14.5l6-6 6 6",
  pause: "M8 5v14M16 5v14",
  play: "M7 4.5v15l12.5-7.5z",
  check: "M5 12.5l4.5 4.5L19 7.5",
  warning: "M12 4 2.8 19.5h18.4zM12 10v4.5M12 17h.01",
  similar: "M4 4h9v9H4zM8 17v3h12V8h-3",
  thumb_up: "M7 10.5 11 3c1.5 0 2.5 1 2.5 2.5V9H19c1.2 0 2 1 1.8 2.2l-1.3 7c-.2 1-1 1.8-2 1.8H7zM7 10.5H3.5V20H7",
  thumb_down: "M7 13.5 11 21c1.5 0 2.5-1 2.5-2.5V15H19c1.2 0 2-1 1.8-2.2l-1.3-7c-.2-1-1-1.8-2-1.8H7zM7 13.5H3.5V4H7",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5.5l3.5 2",
  cloud: "M7.5 18.5a4.5 4.5 0 0 1-.6-9A6 6 0 0 1 18.6 11a3.8 3.8 0 0 1-.6 7.5M12 20v-8M8.8 14.8 12 11.6l3.2 3.2",
  keyboard: "M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M7.5 14h9",
  folder: "M3 6h6l2 2.5h10V19H3z",
  zoom_in: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.3 15.3 20 20M7.5 10.5h6M10.5 7.5v6",
  zoom_out: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.3 15.3 20 20M7.5 10.5h6",
  key: "M14.5 13.5a5 5 0 1 0-4.7-3.3L3 17v4h4v-2.5h2.5V16H12l1-1ZM16 8h.01",
};

export function icon(name, size = 20) {
  const picture = document.createElementNS(SVG, "svg");
  const values = { viewBox: "0 0 24 24", width: size, height: size, class: "picture", "aria-hidden": "true", focusable: "false" };
  for (const [key, value] of Object.entries(values)) picture.setAttribute(key, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  picture.append(path);
  return picture;
}

export const ofKind = (kind) => icon(kind in PATHS ? kind : "document", 30);
