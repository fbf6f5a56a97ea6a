// Upload sessions that were begun and not finished, so that the same file picked again after a reload goes on where it stopped.

const KEPT = "mmsearch-pending";

const nameOf = (file) => `${file.name}|${file.size}|${file.lastModified}`;

function all() {
  const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
  const alive = Object.entries(kept).filter(([, one]) => !one.expires_at || new Date(one.expires_at) > new Date());
  return Object.fromEntries(alive);
}

const write = (sessions) => localStorage.setItem(KEPT, JSON.stringify(sessions));

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
