// Talks to the API: signs in, sends requests with the credential in a header, uploads with progress.

import { $ } from "/web/dom.js";

const ROOT = "/api/v1";
const KEY = "mmsearch-key";
let credential = null;
let signingIn = null;

export class ApiError extends Error {
  constructor(status, error) {
    super(error?.message ?? "The server did not answer as expected.");
    this.status = status;
    this.code = error?.code ?? "unknown";
    this.details = error?.details ?? {};
  }
}

export function signIn() {
  signingIn ??= findCredential().finally(() => { signingIn = null; });
  return signingIn;
}

async function findCredential() {
  const kept = sessionStorage.getItem(KEY);
  if (kept && (await works({ "X-API-Key": kept }))) return;
  const local = await fetch(`${ROOT}/auth/local`, { method: "POST" });
  if (local.ok) {
    const token = (await local.json()).data.token;
    if (await works({ Authorization: `Bearer ${token}` })) return;
  }
  await askForKey();
}

async function works(headers) {
  const answer = await fetch(`${ROOT}/users/me`, { headers });
  if (answer.ok) credential = headers;
  return answer.ok;
}

function askForKey() {
  const dialog = $("sign-in");
  dialog.oncancel = (event) => event.preventDefault();
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    dialog.querySelector("form").onsubmit = async (event) => {
      event.preventDefault();
      const key = $("key").value.trim();
      if (await works({ "X-API-Key": key })) {
        sessionStorage.setItem(KEY, key);
        dialog.close();
        resolve();
      } else {
        $("sign-in-problem").textContent = "This key is not known here.";
      }
    };
  });
}

export async function call(method, path, body, signal, again = true) {
  const headers = { ...credential };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(ROOT + path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  if (answer.status === 401 && again) {
    await signIn();
    return call(method, path, body, signal, false);
  }
  let envelope = null;
  try { envelope = await answer.json(); } catch { /* an answer without a body of ours */ }
  if (!answer.ok) throw new ApiError(answer.status, envelope?.error);
  return envelope;
}

export function upload(file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${ROOT}/upload`);
    request.responseType = "json";
    for (const [name, value] of Object.entries(credential ?? {})) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onerror = () => reject(new ApiError(0, { code: "network", message: "The connection failed." }));
    request.onload = () => {
      if (request.status === 202) resolve(request.response.data);
      else reject(new ApiError(request.status, request.response?.error));
    };
    const form = new FormData();
    form.append("file", file, file.name);
    request.send(form);
  });
}

// Signed URLs live five minutes; each is asked for once in four.
const signed = new Map();
export function signedUrl(path) {
  const known = signed.get(path);
  if (known && known.until > Date.now()) return known.url;
  const url = call("GET", `${path}${path.includes("?") ? "&" : "?"}redirect=false`).then((answer) => answer.data);
  signed.set(path, { url, until: Date.now() + 240_000 });
  url.catch(() => signed.delete(path));
  return url;
}
