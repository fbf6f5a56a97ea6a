// Finds out who is at the page: the local user, somebody an identity provider knows, or the holder of an API key.
// Credentials stay in memory, a pasted key and a renewal token until the tab is closed. None ever stands in an address.

import { ApiError, ROOT } from "./api.js";

const KEPT_KEY = "mmsearch-key";
const KEPT_GRANT = "mmsearch-grant";
const KEPT_JOURNEY = "mmsearch-sign-in";
const KEPT_PROVIDER = "mmsearch-provider";

let credential = null;
let underWay = null;
let how = "local";
let opening = true;
let user = "";

export const headers = () => ({ ...credential });
export const signedIn = () => user;
export const canSignOut = () => how !== "local";

export function signIn() {
  underWay ??= find().then(() => { opening = false; }).finally(() => { underWay = null; });
  return underWay;
}

export function signOut() {
  for (const name of [KEPT_KEY, KEPT_GRANT, KEPT_JOURNEY, KEPT_PROVIDER]) sessionStorage.removeItem(name);
  credential = null;
  location.replace(location.pathname);
}

async function find() {
  credential = null;
  const kept = sessionStorage.getItem(KEPT_KEY);
  how = "key";
  if (kept && (await works({ "X-API-Key": kept }))) return;
  const config = await configuration();
  if (config.authorization_endpoint && (await byProvider(config))) return;
  how = "local";
  if (config.local && (await asLocalUser())) return;
  how = "key";
  const { askToSignIn } = await import("./views/sign_in.js");
  await askToSignIn({ withKey, provider: config.authorization_endpoint ? () => leaveForProvider(config) : null });
}

async function configuration() {
  const answer = await ask("/auth/config");
  return answer.ok ? (await answer.json()).data : { local: true };
}

// Throws where nothing can be told about who is there: the server is away, or asks to wait. Like any request of the page,
// so that whoever was about to send something knows how long to wait.
async function ask(path, options) {
  let answer;
  try { answer = await fetch(ROOT + path, options); } catch { throw new ApiError(0); }
  if (answer.status < 500 && answer.status !== 429) return answer;
  throw new ApiError(answer.status, { message: "The server is not ready." }, Number(answer.headers.get("Retry-After")) || 0);
}

async function works(candidate) {
  const answer = await ask("/users/me", { headers: candidate });
  if (answer.status === 403) throw new ApiError(403, { code: "suspended", message: "This account is suspended." });
  if (answer.ok) [credential, user] = [candidate, (await answer.json()).data.user_id];
  return answer.ok;
}

async function asLocalUser() {
  const answer = await ask("/auth/local", { method: "POST" });
  return answer.ok && works({ Authorization: `Bearer ${(await answer.json()).data.token}` });
}

async function withKey(key) {
  if (!(await works({ "X-API-Key": key }))) return false;
  sessionStorage.setItem(KEPT_KEY, key);
  return true;
}

async function byProvider(config) {
  how = "provider";
  const answer = new URLSearchParams(location.search);
  const journey = JSON.parse(sessionStorage.getItem(KEPT_JOURNEY) ?? "null");
  if (answer.has("state") && journey) {
    sessionStorage.removeItem(KEPT_JOURNEY);
    history.replaceState(null, "", location.pathname + (journey.hash || ""));
    if (answer.has("code") && answer.get("state") === journey.state) {
      return exchange(config, { grant_type: "authorization_code", code: answer.get("code"), redirect_uri: here(), code_verifier: journey.verifier });
    }
  }
  const renewal = sessionStorage.getItem(KEPT_GRANT);
  if (renewal && (await exchange(config, { grant_type: "refresh_token", refresh_token: renewal }))) return true;
  return opening && sessionStorage.getItem(KEPT_PROVIDER) ? askedWithoutAWord(config) : false;
}

// A page loaded again, at a provider that gave no renewal token: it still knows who is there, or says that it does not.
// Only while the page opens: later, leaving it would break off what is being sent.
async function askedWithoutAWord(config) {
  sessionStorage.removeItem(KEPT_PROVIDER);
  await leaveForProvider(config, { prompt: "none" });
  return new Promise(() => {});
}

async function exchange(config, grant) {
  try {
    const body = new URLSearchParams({ client_id: config.client_id, ...grant });
    const answer = await fetch(config.token_endpoint, { method: "POST", body });
    if (!answer.ok) return false;
    const tokens = await answer.json();
    if (tokens.refresh_token) sessionStorage.setItem(KEPT_GRANT, tokens.refresh_token);
    // Which of the two the API takes depends on the audience it was given.
    for (const token of [tokens.id_token, tokens.access_token]) {
      if (token && (await works({ Authorization: `Bearer ${token}` }))) {
        sessionStorage.setItem(KEPT_PROVIDER, "yes");
        return true;
      }
    }
    return false;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    return false;
  }
}

// Authorization code with PKCE: only the page that left can use what the provider sends back.
async function leaveForProvider(config, more = {}) {
  const [verifier, state] = [random(), random()];
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  sessionStorage.setItem(KEPT_JOURNEY, JSON.stringify({ verifier, state, hash: location.hash }));
  const target = new URL(config.authorization_endpoint);
  const asked = {
    response_type: "code", client_id: config.client_id, redirect_uri: here(), scope: config.scope ?? "openid email profile",
    state, code_challenge: base64url(new Uint8Array(digest)), code_challenge_method: "S256", ...more,
  };
  for (const [name, value] of Object.entries(asked)) target.searchParams.set(name, value);
  location.assign(target);
}

const here = () => location.origin + location.pathname;
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const base64url = (octets) => btoa(String.fromCharCode(...octets)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
