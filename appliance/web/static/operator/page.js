// The operator's page: which form lies on the desk, what happens to it, and what goes wrong.

import { Form } from "./form.js";
import { listenToKeys } from "./keys.js";
import { lineChanged, listenToPassing } from "./passing.js";
import { forgetLocally, keptLocally, tokensKept } from "./local.js";
import { LinkLost, SessionOver, getPage, post } from "./server.js";

const AGAIN = 2000; // milliseconds between tries while the link is lost

const desk = document.getElementById("desk");
const card = document.getElementById("card");
const bar = () => document.getElementById("bar");
const { login } = desk.dataset;
const atHand = () => `${bar().dataset.form} ${bar().dataset.stage}`;

let form = null; // the open form, or null between calls
let switching = false;

// ── what goes wrong ──

// The page's banners show a status of the server; null takes them away (static/app.js).
const trouble = (status) => document.dispatchEvent(new CustomEvent("trouble", { detail: status }));

function failed(error) {
  if (error instanceof LinkLost) note(desk.dataset.keptHere, false);
  else if (error instanceof SessionOver) trouble(401);
  else trouble(error.message);
}

function note(text, safe) {
  const place = document.getElementById("saved");
  if (!place) return;
  place.querySelector("span").textContent = text;
  place.classList.toggle("warn", !safe);
  place.classList.toggle("safe", safe);
}

function toast(text, link) {
  const box = document.createElement("p");
  box.className = "toast";
  box.append(text);
  if (link) box.append(Object.assign(document.createElement("a"), { href: link.url, textContent: link.number }));
  document.getElementById("toasts").append(box);
  setTimeout(() => box.remove(), 6000);
}

// ── the form on the desk ──

function openForm() {
  const element = document.getElementById("form");
  form = element && new Form(element, { login, onTrouble: failed, onSaved: saved, onRegistered: registered });
  document.getElementById("put-aside")?.addEventListener("click", putAside);
  fitBar();
}

function saved(answer) {
  trouble(null);
  note(answer.saved, true);
}

async function registered(appeal) {
  toast(desk.dataset.registered, appeal);
  await close();
}

async function putAside() {
  if (form.isNothing || (await form.save({ aside: true }))) await close();
}

async function close() {
  form = null;
  await showCard();
}

// Fetches what lies on the desk now. What was typed in the form that leaves is saved first; when
// the server cannot have it, this browser keeps it and hands it over later.
async function showCard() {
  if (switching) return;
  switching = true;
  const told = atHand();
  try {
    if (form?.unsaved) await form.save();
    card.innerHTML = await getPage(desk.dataset.card);
    window.htmx.process(card); // its live sections
    history.replaceState(null, "", desk.dataset.home);
    openForm();
    document.getElementById("card-title").focus();
  } catch (error) {
    failed(error);
    if (error instanceof LinkLost) setTimeout(showCard, AGAIN);
  } finally {
    switching = false;
  }
  if (told === atHand()) focusInTalk();
  else follow();
}

// The bar tells which form belongs to the call at hand: that one is shown when the phone rings or
// speaks; after a call only when no other form is open.
function follow() {
  const { form: token, stage } = bar().dataset;
  const speaks = stage === "ringing" || stage === "talk";
  if (form && token === form.token) form.element.dataset.stage = stage;
  else if ((token && (speaks || !form)) || form?.isLeftOver) showCard();
  focusInTalk();
  fitBar();
}

// Who has begun to speak goes on with the first field, unless something else has the focus.
function focusInTalk() {
  const { stage } = bar().dataset;
  if (stage === "talk" && document.activeElement === document.getElementById("card-title")) {
    document.getElementById("f-first_name")?.focus();
  }
}

// The bar of a call that is over belongs to its own form only.
function fitBar() {
  const { form: token, stage } = bar().dataset;
  bar().hidden = stage === "wrap_up" && token !== form?.token;
}

// Forms that this browser still holds from before go to the server, into the list of drafts.
async function handOver() {
  const tokens = tokensKept(login).filter((kept) => kept !== form?.token);
  for (const token of tokens) {
    const { values, at } = keptLocally(login, token);
    try {
      await post(`${desk.dataset.forms}/${encodeURIComponent(token)}`, { values, at, aside: true });
      forgetLocally(login, token);
    } catch (error) {
      failed(error);
      return;
    }
  }
  if (tokens.length && !form) showCard();
}

// ── buttons that ask the server for something: the state, hanging up, throwing a draft away ──

document.addEventListener("submit", async (event) => {
  const { act } = event.target.dataset;
  if (!act) return;
  event.preventDefault();
  const { name, value } = event.submitter;
  event.target.closest("details")?.removeAttribute("open");
  try {
    const answer = await post(act, name ? { [name]: value } : {});
    document.getElementById("bar").dispatchEvent(new Event("live")); // the line may tell at once
    if (answer.trouble) toast(answer.trouble);
  } catch (error) {
    if (error instanceof LinkLost) toast(desk.dataset.noLink);
    else failed(error);
  }
});

document.addEventListener("click", (event) => {
  const asked = event.target.closest("[data-discard]");
  if (!asked) return;
  const dialog = document.getElementById("discard-dialog");
  dialog.querySelector("[data-yes]").onclick = async () => {
    try {
      await post(asked.dataset.discard, {});
      asked.closest("li").remove();
    } catch (error) {
      failed(error);
    }
  };
  dialog.showModal();
});

document.addEventListener("pointerdown", ({ target }) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = menu.contains(target);
});
document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
});

// ── the page's life ──

document.addEventListener("signed-in", () => {
  if (form?.unsaved) form.save();
  handOver();
});
addEventListener("online", () => form?.unsaved && form.save());
addEventListener("pagehide", () => form?.unsaved && form.save({ keepalive: true }));

listenToKeys();
listenToPassing({ onTrouble: failed });
openForm();
handOver();
let seen = atHand();
new MutationObserver(() => {
  lineChanged();
  if (atHand() === seen) return;
  seen = atHand();
  follow();
}).observe(desk, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-form", "data-stage", "data-line"] });
