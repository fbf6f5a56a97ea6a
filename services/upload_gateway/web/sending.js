// Takes dropped and picked files (folders too), sends three at a time and shows how far each is.

import { upload } from "/web/api.js";
import { $, bytes, el } from "/web/dom.js";

const AT_ONCE = 3;
const waiting = [];
let active = 0;
let onStored = () => {};

export function acceptFiles(stored) {
  onStored = stored;
  $("pick").onchange = (event) => { add([...event.target.files]); event.target.value = ""; };
  let depth = 0;
  const files = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => { if (files(event)) { depth += 1; $("drop").hidden = false; } });
  addEventListener("dragleave", () => { depth = Math.max(depth - 1, 0); $("drop").hidden = depth === 0; });
  addEventListener("dragover", (event) => files(event) && event.preventDefault());
  addEventListener("drop", async (event) => {
    depth = 0;
    $("drop").hidden = true;
    if (!files(event)) return;
    event.preventDefault();
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    add((await Promise.all(entries.map(filesOf))).flat());
  });
  addEventListener("paste", (event) => event.clipboardData?.files.length && add([...event.clipboardData.files]));
}

async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    found.push(...(await Promise.all(some.map(filesOf))).flat());
  }
}

function add(files) {
  for (const file of files.filter((one) => !one.name.startsWith("."))) {
    const words = el("span", { class: "words" }, "Waiting");
    const progress = el("progress", { max: 1, value: 0, "aria-label": `Sending ${file.name}` });
    const side = el("span", { class: "side" }, bytes(file.size));
    const row = el("li", {}, el("span", { class: "name" }, file.name), words, side, progress);
    $("sending-list").append(row);
    waiting.push({ file, row, words, progress, side });
  }
  $("sending").hidden = $("sending-list").childElementCount === 0;
  while (active < AT_ONCE && waiting.length) send(waiting.shift());
}

async function send(item) {
  active += 1;
  item.words.textContent = "Sending";
  try {
    await upload(item.file, (part) => {
      item.progress.value = part;
      item.words.textContent = part < 1 ? `Sending, ${Math.round(part * 100)} %` : "Storing";
    });
    item.row.remove();
    onStored();
  } catch (error) {
    refused(item, error);
  }
  active -= 1;
  $("sending").hidden = $("sending-list").childElementCount === 0;
  if (waiting.length) send(waiting.shift());
}

function refused(item, error) {
  item.progress.remove();
  item.words.textContent = error.code === "duplicate" ? `Already here as “${error.details.filename ?? item.file.name}”.` : error.message;
  item.words.classList.toggle("problem", error.code !== "duplicate");
  const leave = () => { item.row.remove(); $("sending").hidden = $("sending-list").childElementCount === 0; };
  const again = () => { leave(); add([item.file]); };
  item.side.replaceChildren(
    error.status === 0 || error.status >= 500 ? el("button", { class: "button small", type: "button", onclick: again }, "Try again") : "",
    el("button", { class: "button quiet small", type: "button", "aria-label": `Dismiss ${item.file.name}`, onclick: leave }, "✕"),
  );
  if (error.code === "duplicate") setTimeout(leave, 6000);
}
