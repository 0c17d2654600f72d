// The script next to the form: it begins automatically in a talk, is followed by keys, and can
// be left at any time. It is a section of the card and fetched again after each step; of the
// form, only the focus changes.

import { getPage, LinkLost, post } from "./server.js";

const card = document.getElementById("card");
const RETRY_MILLISECONDS = 3000; // time after which a failed request for a script is repeated

const place = () => document.getElementById("script");
const panel = () => place()?.querySelector(".script");
const form = () => document.getElementById("form");

let isBusy = false;
let begunToken = ""; // the form whose script was begun automatically
let previousFocus = null; // the element that had the focus before the script
let wantedField = ""; // a field of the other form, to be focused once that form is open
let ticksField = false; // whether that field is also ticked

async function renew(focus) {
  const address = place()?.dataset.script;
  if (!address) return;
  const piece = await getPage(address);
  if (place()?.dataset.script !== address) return; // the form has changed in the meantime
  place().innerHTML = piece;
  if (focus) body()?.focus();
}

const body = () => panel()?.querySelector("[data-script-body]");

// Sends one step, then shows the current state of the script; a lost connection is reported, and nothing is lost.
async function send(what, values = {}) {
  const current = panel();
  if (!current || isBusy) return;
  isBusy = true;
  const focused = current.contains(document.activeElement) || document.activeElement === document.body;
  try {
    const { trouble } = await post(`${current.dataset.actAt}/${what}`, {
      seen: Number(current.dataset.seen),
      ...values,
    });
    await renew(focused);
    if (trouble) showTrouble(trouble);
  } catch (error) {
    if (!(error instanceof LinkLost)) throw error;
    showTrouble(document.getElementById("at-hand")?.dataset.noLink ?? "");
  } finally {
    isBusy = false;
  }
}

function showTrouble(text) {
  const trouble = panel()?.querySelector("[data-script-trouble]");
  if (trouble) trouble.textContent = text;
}

// In a talk the script begins automatically, once per form; without a call the operator begins it.
function update() {
  if (wantedField) focusField(wantedField);
  if (place()?.dataset.script && !("asked" in place().dataset)) {
    const element = place();
    element.dataset.asked = "";
    renew(false).catch(() => setTimeout(retry, RETRY_MILLISECONDS, element));
    return;
  }
  const { stage, token } = form()?.dataset ?? {};
  if (!panel() || !("fresh" in panel().dataset) || stage !== "talk" || begunToken === token) return;
  begunToken = token;
  send("begin", { version: Number(panel().dataset.version) });
}

function retry(element) {
  delete element.dataset.asked;
  update();
}

function toggleFocus() {
  if (panel().contains(document.activeElement))
    return previousFocus?.isConnected ? previousFocus.focus() : form()?.focus();
  previousFocus = document.activeElement;
  if ("fresh" in panel().dataset) send("begin", { version: Number(panel().dataset.version) });
  body().focus();
}

function focusField(name) {
  const field = document.getElementById(`f-${name}`);
  if (!field) return false;
  if (ticksField && !field.checked) field.click();
  wantedField = "";
  ticksField = false;
  (field.type === "hidden" ? field.previousElementSibling : field).focus();
  return true;
}

// Leads to a field of this form, or of the other form of the call.
function focusOrSwitch(name, tick) {
  ticksField = tick;
  if (focusField(name)) return;
  wantedField = name;
  document.getElementById("other-form")?.click();
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest(".script button");
  if (!button) return;
  const { scriptAnswer, scriptStep, scriptEnd, scriptAct, scriptLanguage, scriptBegin } = button.dataset;
  if ("scriptTo" in button.dataset) toggleFocus();
  else if (scriptAnswer) send("go", { answer: Number(scriptAnswer) });
  else if ("scriptBack" in button.dataset) send("go", { back: true });
  else if (scriptStep) send("go", { to: scriptStep });
  else if (scriptEnd) send("end", { result: scriptEnd });
  else if (scriptLanguage) send("speak", { language: scriptLanguage });
  else if (scriptBegin) send("begin", { version: Number(scriptBegin) });
  else if (scriptAct) send(scriptAct, scriptAct === "begin" ? { version: Number(panel().dataset.version) } : {});
  else if (button.dataset.scriptField) focusOrSwitch(button.dataset.scriptField, false);
  else if ("scriptSpecialist" in button.dataset) focusOrSwitch("consultation", true);
  else if (button.dataset.scriptPass) passOn(button.dataset.scriptPass);
});

// Opens the transfer panel and searches for the department or the employee.
function passOn(name) {
  document.querySelector("#bar [data-pass]")?.click();
  const search = document.getElementById("passing-q");
  if (!search) return;
  search.value = name;
  search.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !panel()?.contains(document.activeElement)) return;
  event.preventDefault();
  panel().querySelector("details[open]")?.removeAttribute("open");
  if (previousFocus?.isConnected) previousFocus.focus();
});

new MutationObserver(update).observe(card, {
  subtree: true,
  childList: true,
  attributes: true,
  attributeFilter: ["data-stage"],
});
update();
