// Turns figures into what people read.

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
const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const months = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric", timeZone: "UTC" });
export const day = (iso) => days.format(new Date(iso));
export const instant = (iso) => moments.format(new Date(iso));
export const month = (key) => months.format(new Date(`${key}-01T00:00:00Z`));

export const counted = (count, one, many = `${one}s`) => `${count.toLocaleString()} ${count === 1 ? one : many}`;

export function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

export const money = (usd) => (usd === 0 ? "free" : usd < 0.01 ? `$${usd.toFixed(4)}` : `$${usd.toFixed(2)}`);

const SLIDES = "application/vnd.openxmlformats-officedocument.presentationml.presentation";

// Where in a file a moment lies, short enough for a badge.
export function place(moment, file) {
  if (moment.start_s !== null && moment.start_s !== undefined) return clock(moment.start_s);
  if (moment.page) return `${file.media_type === SLIDES ? "Slide" : "Page"} ${moment.page}`;
  return moment.section || "";
}

// The same, where a heading that opens the text need not be said twice.
export const placeBeside = (moment, file) => (moment.section && moment.text.startsWith(moment.section) && place(moment, file) === moment.section ? "" : place(moment, file));

export const isUnderWay = (file) => file.status === "pending" || file.status === "processing";
