// What can be done to files, with its undo: views ask here, listings and the failure list hear of it.

import * as api from "./api.js";
import { el } from "./dom.js";
import { counted } from "./format.js";
import { expectChanges } from "./live.js";
import { choose, chosen } from "./preferences.js";
import { clearSelection } from "./selection.js";
import { ask } from "./views/asking.js";
import { attempt, toast } from "./views/toasts.js";

export const changes = new EventTarget();
const tell = (name, ids) => changes.dispatchEvent(new CustomEvent(name, { detail: ids }));

const ids = (files) => files.map((file) => file.upload_id);
export const named = (files) => (files.length === 1 ? `“${files[0].filename}”` : counted(files.length, "file"));

export function deleteFiles(files) {
  return attempt(async () => {
    if (chosen("confirm_delete") && !(await mayDelete(files))) return;
    const outcome = await run("delete", files);
    clearSelection();
    tell("left", ids(outcome.done));
    expectChanges();
    const words = inWords(outcome, (names) => `Deleted ${names}.`, (names) => `${names} could not be deleted.`);
    if (outcome.done.length) toast(words, "Undo", () => restoreFiles(outcome.done));
    else toast(words);
  });
}

async function mayDelete(files) {
  const never = el("input", { type: "checkbox" });
  const extra = el("label", { class: "radio" }, never, "Do not ask again");
  const sure = await ask({ title: `Delete ${named(files)}?`, text: `${files.length > 1 ? "They" : "It"} can be brought back from the trash for 30 days.`, yes: "Delete", extra });
  if (sure && never.checked) choose("confirm_delete", false);
  return sure;
}

export function restoreFiles(files) {
  return attempt(async () => {
    const outcome = await run("restore", files);
    tell("returned", ids(outcome.done));
    expectChanges();
    toast(inWords(outcome, (names) => `Restored ${names}.`, (names) => `${names} could not be restored.`));
  });
}

export function retryFiles(files) {
  return attempt(async () => {
    const outcome = await run("retry", files);
    tell("retried", ids(outcome.done));
    expectChanges();
    toast(inWords(outcome, (names) => `Trying ${names} again.`, (names) => `${names} cannot be tried again.`));
  });
}

export function processAgain(file) {
  return attempt(async () => {
    await api.process(file.upload_id);
    tell("retried", [file.upload_id]);
    expectChanges();
    toast(`Processing ${named([file])} again.`);
  });
}

export function purgeFile(file) {
  return attempt(async () => {
    await api.purge(file.upload_id);
    tell("left", [file.upload_id]);
    toast(`Removed ${named([file])} for ever.`);
  });
}

export function download(file) {
  return attempt(async () => {
    const link = document.createElement("a");
    link.href = await api.signedUrl(`/file/${file.upload_id}/download`);
    link.rel = "noreferrer";
    link.click();
  });
}

// What became of the files: those the wish came true for, those it did not, and why where one reason holds for all of them.
async function run(action, files) {
  const one = { delete: api.remove, restore: api.restore, retry: api.retry }[action];
  if (files.length === 1) {
    await one(files[0].upload_id);
    return { done: files, failed: [], reason: "" };
  }
  const refused = (await api.batch(action, ids(files))).filter((outcome) => outcome.error);
  const isRefused = (file) => refused.some((outcome) => outcome.upload_id === file.upload_id);
  const reasons = new Set(refused.map((outcome) => outcome.error.message));
  return { done: files.filter((file) => !isRefused(file)), failed: files.filter(isRefused), reason: reasons.size === 1 ? [...reasons][0] : "" };
}

// One message of both: a second one would take the first away.
function inWords({ done, failed, reason }, succeeded, wentWrong) {
  return [done.length ? succeeded(named(done)) : "", failed.length ? wentWrong(named(failed)) : "", reason].filter(Boolean).join(" ");
}
