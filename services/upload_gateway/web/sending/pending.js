// Upload sessions that were begun and not finished, so that the same file picked again after a reload goes on where it stopped.

import { signedIn } from "../session.js";

const kept = () => `mmsearch-pending-${signedIn()}`;
const lockOf = (key) => `${kept()}|${key}`;

export const nameOf = (file) => `${file.name}|${file.size}|${file.lastModified}`;

function all() {
  const sessions = JSON.parse(localStorage.getItem(kept()) ?? "{}");
  const alive = Object.entries(sessions).filter(([, one]) => !one.expires_at || new Date(one.expires_at) > new Date());
  return Object.fromEntries(alive);
}

const write = (sessions) => localStorage.setItem(kept(), JSON.stringify(sessions));

export const pendingFor = (file) => all()[nameOf(file)] ?? null;
export const keepPending = (file, session) => write({ ...all(), [nameOf(file)]: { ...session, name: file.name, size: file.size } });
export const interrupted = () => Object.entries(all()).map(([key, session]) => ({ key, ...session }));

export function dropPending(file) {
  forgetPending(nameOf(file));
}

export function forgetPending(key) {
  const sessions = all();
  delete sessions[key];
  write(sessions);
}

// Keeps other tabs off an upload until the answered function is called; null where another has it.
export function hold(key) {
  if (!navigator.locks) return Promise.resolve(() => {});
  return new Promise((resolve) => {
    navigator.locks.request(lockOf(key), { ifAvailable: true }, (lock) => (lock ? new Promise((letGo) => resolve(letGo)) : resolve(null)));
  });
}

// Which uploads no tab is at.
export async function abandoned() {
  const taken = navigator.locks ? (await navigator.locks.query()).held.map(({ name }) => name) : [];
  return new Set(interrupted().map(({ key }) => key).filter((key) => !taken.includes(lockOf(key))));
}
