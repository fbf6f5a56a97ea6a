// Small words for building the page. Text always goes in as text: nothing here parses markup.

export const $ = (id) => document.getElementById(id);

export function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class") element.className = value;
    else if (key.startsWith("aria-") || key === "role") element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

export function toast(message, action, run) {
  const item = el("div", { class: "toast" }, el("span", {}, message));
  const leave = setTimeout(() => item.remove(), action ? 9000 : 5000);
  if (action) {
    item.append(el("button", { type: "button", onclick: () => { clearTimeout(leave); item.remove(); run(); } }, action));
  }
  $("toasts").append(item);
}

export function bytes(count) {
  if (count === null || count === undefined) return "";
  const units = ["B", "KB", "MB", "GB", "TB"];
  let power = 0;
  while (count >= 1000 && power < units.length - 1) { count /= 1024; power += 1; }
  return `${power && count < 10 ? count.toFixed(1) : Math.round(count)} ${units[power]}`;
}

export function clock(seconds) {
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

const days = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
export const day = (iso) => days.format(new Date(iso));

export function place(moment) {
  if (moment.start_s !== null && moment.start_s !== undefined) return clock(moment.start_s);
  if (moment.page) return `Page ${moment.page}`;
  return moment.section || "";
}

// Highlights count Unicode code points, as the API does.
export function highlighted(text, ranges = []) {
  const points = Array.from(text);
  const parts = [];
  let at = 0;
  for (const [start, end] of ranges) {
    parts.push(points.slice(at, start).join(""), el("mark", {}, points.slice(start, end).join("")));
    at = end;
  }
  parts.push(points.slice(at).join(""));
  return parts.filter((part) => part !== "");
}
