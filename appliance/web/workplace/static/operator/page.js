// The operator's page: which form lies on the desk, what happens to it, and what goes wrong.

import { bar, failed, trouble, watch } from "./athand.js";
import { listenToAdditions, recognise } from "./caller.js";
import { Form } from "./form.js";
import { forgetLocally, keptLocally, tokensKept } from "./local.js";
import { getPage, LinkLost, post } from "./server.js";

const AGAIN = 2000; // milliseconds between tries while the link is lost
const PAUSE = 800; // milliseconds without a letter: whoever was typing has finished his word

const desk = document.getElementById("desk");
const card = document.getElementById("card");
const { login } = desk.dataset;
const callAtHand = () => `${bar().dataset.form} ${bar().dataset.stage}`;

let form = null; // the open form, or null between calls
let switching = false;
let waiting = 0; // until nobody types, so that the form may change

// ── what goes wrong ──

function formFailed(error) {
  if (error instanceof LinkLost) note(desk.dataset.keptHere, false);
  else failed(error);
}

function note(text, safe) {
  const place = document.getElementById("saved");
  if (!place) return;
  place.querySelector("span").textContent = text;
  place.classList.toggle("warn", !safe);
  place.classList.toggle("safe", safe);
}

// ── the form on the desk ──

function openForm() {
  const element = document.getElementById("form");
  form = element && new Form(element, { login, onTrouble: formFailed, onSaved: saved, onRegistered: registered });
  document.getElementById("put-aside")?.addEventListener("click", putAside);
  document.getElementById("other-form")?.addEventListener("click", otherForm);
  fitBar();
}

// From one form to another without leaving the page: what is typed goes to the server first.
document.addEventListener("click", (event) => {
  const link = event.target.closest("#to-form, .drafts [data-token]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { token } = link.dataset;
  showCard(token && { form: token });
});

function saved(answer) {
  trouble(null);
  note(answer.saved, true);
  recognise(answer.recognised);
}

async function registered(appeal) {
  form = null;
  await showCard({ registered: appeal.number });
}

// From form №1 to №2 of the same call and back; what both ask is typed once.
function otherForm(event) {
  showCard({ form: form.token, shows: event.currentTarget.dataset.other });
}

async function putAside() {
  if (form.isNothing || (await form.save({ aside: true }))) await close();
}

async function close() {
  form = null;
  await showCard();
}

// Fetches what lies on the desk now, or the `form` or the `registered` appeal of that name. What was typed in the form that
// leaves is saved first; when the server cannot have it, this browser keeps it and hands it over later.
async function showCard(asked = {}) {
  if (switching) return;
  switching = true;
  const told = callAtHand();
  try {
    if (form?.unsaved) await form.save();
    card.innerHTML = await getPage(`${desk.dataset.card}?${new URLSearchParams(asked)}`);
    window.htmx.process(card); // its live sections
    history.replaceState(null, "", addressOf(asked));
    openForm();
    if (!isBesideCard(document.activeElement)) document.getElementById("card-title").focus();
  } catch (error) {
    formFailed(error);
    if (error instanceof LinkLost) setTimeout(showCard, AGAIN, asked);
  } finally {
    switching = false;
  }
  if (told === callAtHand()) goOn();
  else follow();
}

// Whoever is at work in a panel, the command line or the menu of states keeps the focus when the card changes: his Enter
// is meant for that.
const isBesideCard = (element) => Boolean(element.closest(".passing, #commands, #state-menu"));

function addressOf({ form: token, registered: number }) {
  const { home } = desk.dataset;
  if (token) return `${home}/forms/${encodeURIComponent(token)}`;
  return number ? `${home}/registered/${encodeURIComponent(number)}` : home;
}

// The bar tells which form belongs to the call at hand: that one is shown when no other is open,
// and takes another's place once the call is answered, not while it rings.
function follow() {
  const { form: token, stage } = bar().dataset;
  clearTimeout(waiting);
  if (form && token === form.token) form.element.dataset.stage = stage;
  else if (form?.isLeftOver || (token && !form)) showCard();
  else if (token && stage === "talk") {
    const rest = PAUSE - form.quietFor;
    if (rest > 0) waiting = setTimeout(follow, rest);
    else showCard();
  }
  goOn();
  fitBar();
}

// Who has a form open goes on with its next field, unless something else has the focus. While its
// call rings the title has it: nothing is asked yet.
function goOn() {
  const { activeElement, body } = document;
  const idle = activeElement === body || activeElement === document.getElementById("card-title");
  if (form && idle && !form.rings) form.nextField.focus();
}

// The bar of a call that is over belongs to its own form only; to that form leads a key from others.
function fitBar() {
  const { form: token, stage } = bar().dataset;
  const own = token === form?.token;
  hide(bar(), stage === "wrap_up" && !own);
  hide(document.getElementById("to-form"), own);
}

function hide(element, hidden) {
  if (element && element.hidden !== hidden) element.hidden = hidden; // is watched itself
}

// Forms that this browser still holds from before go to the server, into the list of drafts.
async function handOver() {
  const tokens = tokensKept(login).filter((kept) => kept !== form?.token);
  for (const token of tokens) {
    const { values, form: shows, at } = keptLocally(login, token);
    try {
      const sent = { values, at, aside: true, ...(shows && { form: shows }) };
      await post(`${desk.dataset.forms}/${encodeURIComponent(token)}`, sent);
      if (!switching) forgetLocally(login, token, values); // a card on its way may have been made before
    } catch (error) {
      formFailed(error);
      return;
    }
  }
  if (tokens.length && !form) showCard();
}

// ── throwing a draft away ──

document.addEventListener("click", (event) => {
  const asked = event.target.closest("[data-discard]");
  if (!asked) return;
  const dialog = document.getElementById("discard-dialog");
  dialog.querySelector("[data-yes]").onclick = async () => {
    try {
      await post(asked.dataset.discard, {});
      asked.closest("li").remove();
    } catch (error) {
      formFailed(error);
    }
  };
  dialog.showModal();
});

// ── the page's life ──

document.addEventListener("signed-in", () => {
  if (form?.unsaved) form.save();
  handOver();
});
addEventListener("online", () => form?.unsaved && form.save());
addEventListener("pagehide", () => form?.unsaved && form.save({ keepalive: true }));

openForm();
listenToAdditions(() => form);
goOn();
handOver();
let seen = callAtHand();
watch(() => {
  fitBar(); // what is fetched anew knows of no open form
  if (callAtHand() === seen) return;
  seen = callAtHand();
  follow();
});
