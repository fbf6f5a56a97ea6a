// Sends bytes with progress. XMLHttpRequest, because only it tells how far an upload has come.

import { heed } from "../allowance.js";
import { ApiError, ROOT } from "../api.js";
import { headers, signIn } from "../session.js";

function sendOnce({ method, url, body, sent = {}, onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.open(method, url);
    for (const [name, value] of Object.entries(sent)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => onProgress?.(event.loaded);
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    request.onerror = () => reject(new ApiError(0));
    request.onloadend = () => { signal?.removeEventListener("abort", abort); if (request.status) resolve(request); };
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) reject(new DOMException("stopped", "AbortError"));
    else request.send(body);
  });
}

const MULTIPART_OVERHEAD = 400;

// A small file in one request: {upload_id}.
export async function sendWhole(file, { onProgress, signal }, again = true) {
  const body = new FormData();
  body.append("file", file, file.name);
  const count = (loaded) => onProgress(Math.min(Math.max(loaded - MULTIPART_OVERHEAD, 0), file.size));
  const request = await sendOnce({ method: "POST", url: `${ROOT}/upload`, body, sent: headers(), onProgress: count, signal });
  if (request.status === 401 && again) {
    await signIn();
    return sendWhole(file, { onProgress, signal }, false);
  }
  const answer = parsed(request);
  // One that was refused for too many in a second knows nothing of the minute.
  if (request.status !== 429) heed((name) => request.getResponseHeader(name));
  if (request.status === 202) return answer.data;
  throw new ApiError(request.status, answer?.error, Number(request.getResponseHeader("Retry-After")) || 0);
}

function parsed(request) {
  try { return JSON.parse(request.responseText); } catch { return null; }
}

export class SessionGoneError extends Error {}

// The same as in libs/mmsearch/resumable.py.
const GONE = [404, 410, 412, 499];

// One piece of a resumable session, from `offset`; answers how many bytes are stored, the file's size when all are.
export async function sendPiece(url, file, offset, length, { onProgress, signal }) {
  const end = Math.min(offset + length, file.size);
  const sent = { "Content-Range": `bytes ${offset}-${end - 1}/${file.size}` };
  const count = (loaded) => onProgress(offset + loaded);
  return stored(await sendOnce({ method: "PUT", url, body: file.slice(offset, end), sent, onProgress: count, signal }), file);
}

// Asks a session how many bytes it holds.
export async function storedSoFar(url, file, { signal }) {
  return stored(await sendOnce({ method: "PUT", url, sent: { "Content-Range": `bytes */${file.size}` }, signal }), file);
}

export function abandonSession(url) {
  return sendOnce({ method: "DELETE", url }).catch(() => undefined);
}

function stored(request, file) {
  if (request.status === 200 || request.status === 201) return file.size;
  if (request.status === 308) {
    const range = /bytes=0-(\d+)/.exec(request.getResponseHeader("Range") ?? "");
    return range ? Number(range[1]) + 1 : 0;
  }
  if (GONE.includes(request.status)) throw new SessionGoneError();
  throw new ApiError(request.status || 0);
}
