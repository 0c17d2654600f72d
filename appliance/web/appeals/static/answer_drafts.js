// Stores the answer on an appeal's card on the server while it is typed; see save_draft in
// handling.py.

import { localCopy, removeLocalCopy, storeLocalCopy } from "./operator/local.js";
import { post } from "./operator/server.js";

const WAIT_MILLISECONDS = 500; // without a keystroke before the draft is saved
const RETRY_MILLISECONDS = 3000; // until the next attempt while the connection is lost
let timer = 0;
let saving = Promise.resolve(); // saves run one at a time: each waits for the previous one

const form = () => document.querySelector("#todo[data-draft]");
const values = (element) =>
  Object.fromEntries(["action", "text", "department"].map((name) => [name, element.elements[name]?.value ?? ""]));

function showState(element, text, isWarning) {
  const place = element.querySelector("[data-draft-state]");
  place.textContent = text;
  place.classList.toggle("warn", isWarning);
}

async function send(element, options = {}) {
  const { draft, login, seen } = element.dataset;
  if ("elsewhere" in element.dataset || "sent" in element.dataset) return;
  const current = values(element);
  try {
    const answer = await post(draft, { ...current, seen, last: Boolean(options.keepalive) }, options);
    if (answer.status === 409) element.dataset.elsewhere = "";
    else element.dataset.seen = answer.saved_at;
    showState(element, answer.words, answer.status === 409);
    if (answer.status !== 409 && current.text === element.elements.text.value) removeLocalCopy(login, draft);
  } catch {
    showState(element, element.dataset.keptHere, true);
    scheduleSave(element, RETRY_MILLISECONDS);
  }
}

function scheduleSave(element, milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(() => save(element), milliseconds);
}

// Saves pending changes now; resolves when the server has them.
export function save(element = form()) {
  clearTimeout(timer);
  timer = 0;
  if (element) saving = saving.then(() => send(element));
  return saving;
}

// Restores text that this browser stored because no server could be reached, if the form is
// empty.
export function restore() {
  const element = form();
  const storedCopy = element && localCopy(element.dataset.login, element.dataset.draft);
  if (!storedCopy?.values.text || element.elements.text.value) return;
  if (![...element.elements].some(({ name, value }) => name === "action" && value === storedCopy.values.action)) return;
  for (const [name, value] of Object.entries(storedCopy.values))
    if (element.elements[name]) element.elements[name].value = value;
  save(element);
}

document.addEventListener("input", ({ target }) => {
  const element = target.closest("#todo[data-draft]");
  if (!element) return;
  storeLocalCopy(element.dataset.login, element.dataset.draft, values(element));
  scheduleSave(element, WAIT_MILLISECONDS);
});
document.addEventListener("before-send", ({ detail }) => {
  clearTimeout(timer); // otherwise it would be stored again after it was sent
  timer = 0;
  detail.push(saving);
});
// Text that was sent, or refused and kept by the page that says why, is no longer stored here.
document.addEventListener("sent", ({ target }) => {
  if (target.dataset.draft) removeLocalCopy(target.dataset.login, target.dataset.draft);
});
addEventListener("pagehide", () => {
  if (timer && form()) send(form(), { keepalive: true });
});
restore();
if (form()) form().dataset.ready = "";
