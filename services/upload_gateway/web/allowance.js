// What the server allows of requests in a minute is shared: while files are sent, a part of it is left to looking at them.

const LEFT_TO_LOOKING = 0.4;
const SHORT_MS = 60_000;
let shortUntil = 0;
let sendAt = 0;

// Whoever sends tells what an answer's headers say; `header` answers the value of one.
export function heed(header) {
  const [limit, remaining, reset] = ["Limit", "Remaining", "Reset"].map((name) => Number(header(`RateLimit-${name}`)));
  const missing = limit * LEFT_TO_LOOKING - remaining;
  const isShort = missing > 0;
  shortUntil = isShort ? performance.now() + SHORT_MS : 0;
  // No more comes back than a minute's share of the time.
  sendAt = isShort ? performance.now() + Math.max(reset, (missing / limit) * 60) * 1000 : 0;
}

export const isShort = () => performance.now() < shortUntil;

// How long sending has to wait.
export const heldBackFor = () => Math.max(sendAt - performance.now(), 0);

// How far apart things are asked for that can wait.
export const spread = (ms) => (isShort() ? 3 * ms : ms);
