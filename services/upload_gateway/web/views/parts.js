// The parts of the page that come later: when they are first asked for, or before, once the page has come to rest.

import { ApiError } from "../api.js";

const REST_MS = 4000;
const PARTS = { viewer: () => import("./viewer.js"), trash: () => import("./trash.js"), account: () => import("./account.js"), help: () => import("./help.js") };

export async function part(name) {
  try { return await PARTS[name](); } catch (error) { throw error instanceof TypeError ? new ApiError(0) : error; }
}

// Whoever loses the connection later can still open everything.
export function fetchAhead() {
  setTimeout(() => Object.keys(PARTS).forEach((name) => part(name).catch(() => {})), REST_MS);
}
