// Usage and settings: what is stored and spent, what is left today, preferences, earlier searches, keys.

import * as api from "../api.js";
import { button, el, pictureButton } from "../dom.js";
import { bytes, counted, day, duration, instant, money } from "../format.js";
import { icon } from "../icons.js";
import { choose, chosen, preferencesKnown } from "../preferences.js";
import { canSignOut, signOut } from "../session.js";
import { ask } from "./asking.js";
import { attempt, toast } from "./toasts.js";

const KINDS = { image: "Images", video: "Videos", audio: "Audio", document: "Documents", unknown: "Not yet known" };

export function content() {
  const [usage, wishes, searches, keys, who] = [el("div"), el("div"), el("div"), el("div"), el("p", { class: "muted" })];
  preferencesKnown().then(() => wishes.replaceChildren(...preferenceFields()));
  attempt(() => fillUsage(usage));
  attempt(() => fillSearches(searches));
  attempt(() => fillKeys(keys));
  api.profile().then((one) => { who.textContent = [one.email ?? one.user_id, one.tier ? `${one.tier} plan` : ""].filter(Boolean).join(" · "); }, () => {});
  return el("section", { class: "sheet", id: "account", "aria-labelledby": "account-title" },
    el("div", { class: "sheet-head" }, el("h1", { id: "account-title", tabIndex: -1 }, "Usage and settings"), who, canSignOut() ? button("Sign out", signOut, { kind: "small" }) : ""),
    part("Usage", usage), part("Preferences", wishes), part("Earlier searches", searches), part("API keys", keys));
}

const part = (title, body) => el("section", { class: "part" }, el("h2", { tabIndex: -1 }, title), body);

async function fillUsage(box) {
  const stats = await api.stats();
  const figure = (value, words) => el("div", { class: "figure-box" }, el("strong", {}, value), el("span", { class: "muted" }, words));
  const most = Math.max(...Object.values(stats.uploads_by_type), 1);
  box.replaceChildren(
    el("div", { class: "figures" },
      figure(stats.total_uploads.toLocaleString(), stats.total_uploads === 1 ? "file" : "files"), figure(bytes(stats.total_storage_bytes), "stored"),
      figure(stats.average_processing_time_ms === null ? "–" : duration(stats.average_processing_time_ms / 1000), "to process a file"),
      figure(stats.tokens.toLocaleString(), "tokens"), figure(stats.cost_usd === 0 ? "$0" : money(stats.cost_usd), "spent")),
    stats.quota ? quota(stats.quota) : "",
    el("ul", { class: "bars" }, Object.entries(stats.uploads_by_type).sort(([, a], [, b]) => b - a).map(([kind, files]) => el("li", {},
      el("span", {}, KINDS[kind] ?? kind), el("progress", { class: "bar-figure", max: most, value: files, "aria-label": KINDS[kind] ?? kind }), el("span", { class: "figure" }, files.toLocaleString())))));
}

function quota({ limit, used, resets_at: resets }) {
  if (limit === null || limit === undefined) return "";
  const left = Math.max(limit - used, 0);
  return el("div", { class: "quota" }, el("div", {}, el("span", {}, `${counted(left, "upload")} left today`), el("span", { class: "muted" }, `${used.toLocaleString()} of ${limit.toLocaleString()}${resets ? ` · starts again ${instant(resets)}` : ""}`)),
    el("progress", { class: used > limit * 0.9 ? "bar-figure nearly" : "bar-figure", max: limit, value: Math.min(used, limit), "aria-label": "Uploads used today" }));
}

function preferenceFields() {
  const theme = (value, name) => el("label", { class: "radio" }, el("input", { type: "radio", name: "theme", value, checked: chosen("theme") === value, onchange: () => choose("theme", value) }), name);
  return [el("fieldset", { class: "choices-list" }, el("legend", { class: "visually-hidden" }, "Theme"), theme("system", "As the system"), theme("light", "Light"), theme("dark", "Dark")),
    tick("play_previews", "Play a silent preview of films under the pointer"), tick("confirm_delete", "Ask before deleting"),
    tick("include_flagged", "Show what moderation would hold back")];
}

function tick(name, words) {
  const box = el("input", { type: "checkbox", checked: chosen(name), onchange: () => choose(name, box.checked) });
  return el("label", { class: "radio" }, box, words);
}

// Whoever pressed something that is filled anew is still there afterwards.
function refill(box, fill, change) {
  return attempt(async () => {
    const at = [...box.querySelectorAll("button")].indexOf(document.activeElement);
    await change();
    await fill(box);
    const now = [...box.querySelectorAll("button")];
    if (at >= 0) (now[Math.min(at, now.length - 1)] ?? box.parentElement.querySelector("h2")).focus();
  });
}

async function fillSearches(box) {
  const past = [...Map.groupBy(await api.pastSearches(60), (one) => one.query).values()].map(([latest]) => latest).slice(0, 8);
  const forget = (work) => refill(box, fillSearches, work);
  if (!past.length) { box.replaceChildren(el("p", { class: "muted" }, "Nothing is remembered.")); return; }
  box.replaceChildren(
    el("ul", { class: "rows" }, past.map((one) => el("li", {}, el("a", { class: "name", href: `#/?q=${encodeURIComponent(one.query)}` }, one.query),
      el("span", { class: "words" }, `${counted(one.result_count, "file")} · ${instant(one.created_at)}`),
      el("span", { class: "side" }, pictureButton(`Forget “${one.query}”`, icon("close", 18), () => forget(() => api.forgetSearch(one.search_id))))))),
    button("Forget all searches", () => forget(api.forgetSearches), { kind: "small" }));
}

async function fillKeys(box) {
  const keys = await api.keys();
  const name = el("input", { type: "text", maxLength: 80, required: true, placeholder: "What it is for", "aria-label": "Name of the new key" });
  const form = el("form", { class: "inline" }, name, el("button", { class: "button small", type: "submit" }, icon("key", 16), "Create a key"));
  form.onsubmit = (event) => { event.preventDefault(); attempt(async () => { const notice = newKey(await api.createKey(name.value.trim())); await fillKeys(box); box.prepend(notice); notice.focus(); }); };
  box.replaceChildren(
    el("p", { class: "muted" }, "Programs and the command line sign in with a key, in the header X-API-Key."),
    el("ul", { class: "rows" }, keys.map((key) => el("li", {}, el("span", { class: "name" }, key.name),
      el("span", { class: "words" }, `created ${day(key.created_at)} · ${key.last_used_at ? `last used ${instant(key.last_used_at)}` : "never used"}`),
      el("span", { class: "side" }, pictureButton(`Delete the key ${key.name}`, icon("trash", 18), () => removeKey(key, box)))))),
    form);
}

async function removeKey(key, box) {
  const text = "Whatever signs in with it is shut out at once. This cannot be undone.";
  if (!(await ask({ title: `Delete the key “${key.name}”?`, text, yes: "Delete", no: "Keep it", final: true }))) return;
  await refill(box, fillKeys, async () => { await api.deleteKey(key.key_id); toast(`The key “${key.name}” no longer works.`); });
}

function newKey({ key }) {
  const copy = button("Copy", async () => { await navigator.clipboard.writeText(key); toast("Copied."); }, { kind: "small" });
  return el("div", { class: "notice", tabIndex: -1, role: "group", "aria-labelledby": "new-key" }, el("p", { id: "new-key" }, "Your new key. It is shown this once:"), el("p", { class: "inline" }, el("code", {}, key), copy));
}
