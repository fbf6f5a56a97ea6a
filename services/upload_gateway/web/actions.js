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

export const named = (files) => (files.length === 1 ? `“${files[0].filename}”` : counted(files.length, "file"));

export function deleteFiles(files) {
  return attempt(async () => {
    if (chosen("confirm_delete") && !(await mayDelete(files))) return;
    const { done, failed } = await run("delete", files);
    clearSelection();
    tell("left", done);
    expectChanges();
    if (failed) toast(`${counted(failed, "file")} could not be deleted.`);
    if (done.length) toast(`Deleted ${named(files)}.`, "Undo", () => restoreFiles(files.filter((file) => done.includes(file.upload_id))));
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
    const { done, failed } = await run("restore", files);
    tell("returned", done);
    expectChanges();
    toast(failed ? `${counted(failed, "file")} could not be restored.` : `Restored ${named(files)}.`);
  });
}

export function retryFiles(files) {
  return attempt(async () => {
    const { done, failed, problem } = await run("retry", files);
    tell("retried", done);
    expectChanges();
    toast(failed ? problem ?? `${counted(failed, "file")} cannot be tried again.` : `Trying ${named(files)} again.`);
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

async function run(action, files) {
  const one = { delete: api.remove, restore: api.restore, retry: api.retry }[action];
  if (files.length === 1) {
    await one(files[0].upload_id);
    return { done: [files[0].upload_id], failed: 0 };
  }
  const outcomes = await api.batch(action, files.map((file) => file.upload_id));
  const bad = outcomes.filter((outcome) => outcome.error);
  const done = outcomes.filter((outcome) => !outcome.error).map((outcome) => outcome.upload_id);
  return { done, failed: bad.length, problem: bad[0]?.error?.message };
}
