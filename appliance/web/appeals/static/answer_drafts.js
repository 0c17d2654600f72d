// The answer on an appeal's card is kept on the server while it is typed; see handling.draft.

import { forgetLocally, keepLocally, keptLocally } from "./operator/local.js";
import { post } from "./operator/server.js";

const WAIT = 500; // milliseconds without a key before it is saved
const AGAIN = 3000; // until the next try while the link is lost
let timer = 0;
let saving = Promise.resolve(); // one at a time: each names the save before it

const form = () => document.querySelector("#todo[data-draft]");
const values = (element) =>
  Object.fromEntries(["action", "text", "department"].map((name) => [name, element.elements[name]?.value ?? ""]));

function note(element, words, wrong) {
  const place = element.querySelector("[data-draft-state]");
  place.textContent = words;
  place.classList.toggle("warn", wrong);
}

async function send(element, options = {}) {
  const { draft, login, seen } = element.dataset;
  if ("elsewhere" in element.dataset || "sent" in element.dataset) return;
  const now = values(element);
  try {
    const answer = await post(draft, { ...now, seen, last: Boolean(options.keepalive) }, options);
    if (answer.status === 409) element.dataset.elsewhere = "";
    else element.dataset.seen = answer.saved_at;
    note(element, answer.words, answer.status === 409);
    if (answer.status !== 409 && now.text === element.elements.text.value) forgetLocally(login, draft);
  } catch {
    note(element, element.dataset.keptHere, true);
    later(element, AGAIN);
  }
}

function later(element, wait) {
  clearTimeout(timer);
  timer = setTimeout(() => save(element), wait);
}

// Saves now what is not saved yet; resolves when the server has it.
export function save(element = form()) {
  clearTimeout(timer);
  timer = 0;
  if (element) saving = saving.then(() => send(element));
  return saving;
}

// What this browser kept because no server could have it comes back into an empty form.
export function restore() {
  const element = form();
  const kept = element && keptLocally(element.dataset.login, element.dataset.draft);
  if (!kept?.values.text || element.elements.text.value) return;
  if (![...element.elements].some(({ name, value }) => name === "action" && value === kept.values.action)) return;
  for (const [name, value] of Object.entries(kept.values))
    if (element.elements[name]) element.elements[name].value = value;
  save(element);
}

document.addEventListener("input", ({ target }) => {
  const element = target.closest("#todo[data-draft]");
  if (!element) return;
  keepLocally(element.dataset.login, element.dataset.draft, values(element));
  later(element, WAIT);
});
document.addEventListener("before-send", ({ detail }) => {
  clearTimeout(timer); // or it would be kept once more, after it was sent
  timer = 0;
  detail.push(saving);
});
// What was sent, or refused and kept by the page that says why, is kept here no more.
document.addEventListener("sent", ({ target }) => {
  if (target.dataset.draft) forgetLocally(target.dataset.login, target.dataset.draft);
});
addEventListener("pagehide", () => {
  if (timer && form()) send(form(), { keepalive: true });
});
restore();
if (form()) form().dataset.ready = "";
