// What the person chose: kept by the server where it can, and in this browser so that the first paint is right.

import { preferences, savePreferences } from "./api.js";

const KEPT = "mmsearch-preferences";
const DEFAULTS = { theme: "system", play_previews: true, confirm_delete: true, include_flagged: false };
let values = { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEPT) ?? "{}") };
let others = {};
let choices = 0;
let loading = Promise.resolve();

export const chosen = (name) => values[name];

// Settled once what the server remembers is known.
export const preferencesKnown = () => loading;

export function loadPreferences() {
  loading = load();
}

async function load() {
  const before = choices;
  try {
    const kept = (await preferences()) ?? {};
    others = { ...kept, ...others };
    // What was chosen while the answer was on its way is newer.
    if (choices !== before) return;
    values = { ...values, ...Object.fromEntries(Object.keys(DEFAULTS).filter((name) => name in kept).map((name) => [name, kept[name]])) };
    apply();
  } catch { /* what this browser remembers has to do */ }
}

export async function choose(name, value) {
  choices += 1;
  values = { ...values, [name]: value };
  apply();
  await loading;
  try { await savePreferences({ ...others, ...values }); } catch { /* kept here all the same */ }
}

function apply() {
  localStorage.setItem(KEPT, JSON.stringify(values));
  const theme = values.theme === "system" ? "" : values.theme;
  localStorage.setItem("mmsearch-theme", theme);
  document.documentElement.dataset.theme = theme;
}
