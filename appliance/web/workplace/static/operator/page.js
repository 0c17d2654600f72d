// The operator's page: the open form, its actions, and its errors.

import { bar, reportError, showStatus, watch } from "./athand.js";
import { listenToAdditions, recognise } from "./caller.js";
import { Form } from "./form.js";
import { localCopy, removeLocalCopy, storedTokens } from "./local.js";
import { getPage, LinkLost, post } from "./server.js";

const RETRY_MILLISECONDS = 2000; // between attempts while the connection is lost
const TYPING_PAUSE_MILLISECONDS = 800; // time without a letter after which the user has finished a word

const desk = document.getElementById("desk");
const card = document.getElementById("card");
const { login } = desk.dataset;
const currentCall = () => `${bar().dataset.form} ${bar().dataset.stage}`;

let form = null; // the open form, or null between calls
let isSwitching = false;
let followTimer = 0; // timer until the user stops typing, so that the form may change

// ── errors ──

function reportFormError(error) {
  if (error instanceof LinkLost) showNote(desk.dataset.keptHere, false);
  else reportError(error);
}

function showNote(text, isSaved) {
  const place = document.getElementById("saved");
  if (!place) return;
  place.querySelector("span").textContent = text;
  place.classList.toggle("warn", !isSaved);
  place.classList.toggle("safe", isSaved);
}

// ── the open form ──

function openForm() {
  const element = document.getElementById("form");
  form =
    element &&
    new Form(element, { login, onTrouble: reportFormError, onSaved: showSaved, onRegistered: showRegistered });
  document.getElementById("put-aside")?.addEventListener("click", putAside);
  document.getElementById("other-form")?.addEventListener("click", switchForm);
  fitBar();
}

// Opens another form without leaving the page: typed values are sent to the server first.
document.addEventListener("click", (event) => {
  const link = event.target.closest("#to-form, .drafts [data-token]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { token } = link.dataset;
  showCard(token && { form: token });
});

function showSaved(answer) {
  showStatus(null);
  showNote(answer.saved, true);
  recognise(answer.recognised);
}

async function showRegistered(appeal) {
  form = null;
  await showCard({ registered: appeal.number });
}

// Switches between forms №1 and №2 of the same call; values that both ask for are typed once.
function switchForm(event) {
  showCard({ form: form.token, shows: event.currentTarget.dataset.other });
}

async function putAside() {
  if (form.isNothing || (await form.save({ aside: true }))) await closeForm();
}

async function closeForm() {
  form = null;
  await showCard();
}

// Fetches the current card, or the `form` or the `registered` appeal of that name. Values typed
// in the previous form are saved first; if the server cannot be reached, this browser stores
// them and sends them later.
async function showCard(target = {}) {
  if (isSwitching) return;
  isSwitching = true;
  const callBefore = currentCall();
  try {
    if (form?.unsaved) await form.save();
    card.innerHTML = await getPage(`${desk.dataset.card}?${new URLSearchParams(target)}`);
    window.htmx.process(card); // activates its live sections
    history.replaceState(null, "", addressOf(target));
    openForm();
    if (!isBesideCard(document.activeElement)) document.getElementById("card-title").focus();
  } catch (error) {
    reportFormError(error);
    if (error instanceof LinkLost) setTimeout(showCard, RETRY_MILLISECONDS, target);
  } finally {
    isSwitching = false;
  }
  if (callBefore === currentCall()) focusNextField();
  else followCall();
}

// A user who is working in a panel, the command line or the menu of states keeps the focus when
// the card changes: their Enter is meant for that element.
const isBesideCard = (element) => Boolean(element.closest(".passing, #commands, #state-menu"));

function addressOf({ form: token, registered: number }) {
  const { home } = desk.dataset;
  if (token) return `${home}/forms/${encodeURIComponent(token)}`;
  return number ? `${home}/registered/${encodeURIComponent(number)}` : home;
}

// Follows the bar, which names the form of the current call: that form is shown if no other is
// open, and replaces another one once the call is answered, but not while it rings.
function followCall() {
  const { form: token, stage } = bar().dataset;
  clearTimeout(followTimer);
  if (form && token === form.token) form.element.dataset.stage = stage;
  else if (form?.isLeftOver || (token && !form)) showCard();
  else if (token && stage === "talk") {
    const remainingPause = TYPING_PAUSE_MILLISECONDS - form.quietFor;
    if (remainingPause > 0) followTimer = setTimeout(followCall, remainingPause);
    else showCard();
  }
  focusNextField();
  fitBar();
}

// Moves the focus to the next field of an open form, unless another element has it. While the
// form's call rings, the title has the focus: the conversation has not begun.
function focusNextField() {
  const { activeElement, body } = document;
  const idle = activeElement === body || activeElement === document.getElementById("card-title");
  if (form && idle && !form.rings) form.nextField.focus();
}

// Shows the bar of a finished call only with its own form; other forms have a key that leads to that form.
function fitBar() {
  const { form: token, stage } = bar().dataset;
  const isOwnForm = token === form?.token;
  hide(bar(), stage === "wrap_up" && !isOwnForm);
  hide(document.getElementById("to-form"), isOwnForm);
}

function hide(element, hidden) {
  if (element && element.hidden !== hidden) element.hidden = hidden; // this element is itself observed
}

// Sends forms that this browser still stores from earlier to the server, into the list of drafts.
async function sendStoredForms() {
  const tokens = storedTokens(login).filter((token) => token !== form?.token);
  for (const token of tokens) {
    const { values, form: shows, at } = localCopy(login, token);
    try {
      const payload = { values, at, aside: true, ...(shows && { form: shows }) };
      await post(`${desk.dataset.forms}/${encodeURIComponent(token)}`, payload);
      if (!isSwitching) removeLocalCopy(login, token, values); // a card being fetched may have been rendered before
    } catch (error) {
      reportFormError(error);
      return;
    }
  }
  if (tokens.length && !form) showCard();
}

// ── discarding a draft ──

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-discard]");
  if (!button) return;
  const dialog = document.getElementById("discard-dialog");
  dialog.querySelector("[data-yes]").onclick = async () => {
    try {
      await post(button.dataset.discard, {});
      button.closest("li").remove();
    } catch (error) {
      reportFormError(error);
    }
  };
  dialog.showModal();
});

// ── events of the page ──

document.addEventListener("signed-in", () => {
  if (form?.unsaved) form.save();
  sendStoredForms();
});
addEventListener("online", () => form?.unsaved && form.save());
addEventListener("pagehide", () => form?.unsaved && form.save({ keepalive: true }));

openForm();
listenToAdditions(() => form);
focusNextField();
sendStoredForms();
let lastCall = currentCall();
watch(() => {
  fitBar(); // a section that was fetched again does not reflect the open form
  if (currentCall() === lastCall) return;
  lastCall = currentCall();
  followCall();
});
