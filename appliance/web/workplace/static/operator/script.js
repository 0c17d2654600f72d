// The script beside the form: begun by itself in a talk, followed by keys, left at any moment. It is a piece of the card
// and fetched anew after each step; nothing of the form is touched but the focus.

import { getPage, LinkLost, post } from "./server.js";

const card = document.getElementById("card");
const AGAIN = 3000; // milliseconds before a script that was asked for in vain is asked for again

const place = () => document.getElementById("script");
const panel = () => place()?.querySelector(".script");
const form = () => document.getElementById("form");

let busy = false;
let begun = ""; // the form whose script was begun by itself
let before = null; // what had the focus when the script got it
let wanted = ""; // a field of the other form, to be focused once that is there
let ticks = false; // and to be ticked

async function renew(focus) {
  const address = place()?.dataset.script;
  if (!address) return;
  const piece = await getPage(address);
  if (place()?.dataset.script !== address) return; // another form meanwhile
  place().innerHTML = piece;
  if (focus) body()?.focus();
}

const body = () => panel()?.querySelector("[data-script-body]");

// Sends one step, then shows where the script stands; a lost link is said, and nothing is lost.
async function send(what, values = {}) {
  const at = panel();
  if (!at || busy) return;
  busy = true;
  const focused = at.contains(document.activeElement) || document.activeElement === document.body;
  try {
    const { trouble } = await post(`${at.dataset.actAt}/${what}`, { seen: Number(at.dataset.seen), ...values });
    await renew(focused);
    if (trouble) say(trouble);
  } catch (error) {
    if (!(error instanceof LinkLost)) throw error;
    say(document.getElementById("at-hand")?.dataset.noLink ?? "");
  } finally {
    busy = false;
  }
}

function say(text) {
  const trouble = panel()?.querySelector("[data-script-trouble]");
  if (trouble) trouble.textContent = text;
}

// In a talk the script begins by itself, once for a form; without a call somebody begins it.
function look() {
  if (wanted) focusField(wanted);
  if (place()?.dataset.script && !("asked" in place().dataset)) {
    const here = place();
    here.dataset.asked = "";
    renew(false).catch(() => setTimeout(askAgain, AGAIN, here));
    return;
  }
  const { stage, token } = form()?.dataset ?? {};
  if (!panel() || !("fresh" in panel().dataset) || stage !== "talk" || begun === token) return;
  begun = token;
  send("begin", { version: Number(panel().dataset.version) });
}

function askAgain(here) {
  delete here.dataset.asked;
  look();
}

function toScript() {
  if (panel().contains(document.activeElement)) return before?.isConnected ? before.focus() : form()?.focus();
  before = document.activeElement;
  if ("fresh" in panel().dataset) send("begin", { version: Number(panel().dataset.version) });
  body().focus();
}

function focusField(name) {
  const field = document.getElementById(`f-${name}`);
  if (!field) return false;
  if (ticks && !field.checked) field.click();
  wanted = "";
  ticks = false;
  (field.type === "hidden" ? field.previousElementSibling : field).focus();
  return true;
}

// To a field of this form, or of the other one of the call.
function lead(name, tick) {
  ticks = tick;
  if (focusField(name)) return;
  wanted = name;
  document.getElementById("other-form")?.click();
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest(".script button");
  if (!button) return;
  const { scriptAnswer, scriptStep, scriptEnd, scriptAct, scriptLanguage, scriptBegin } = button.dataset;
  if ("scriptTo" in button.dataset) toScript();
  else if (scriptAnswer) send("go", { answer: Number(scriptAnswer) });
  else if ("scriptBack" in button.dataset) send("go", { back: true });
  else if (scriptStep) send("go", { to: scriptStep });
  else if (scriptEnd) send("end", { result: scriptEnd });
  else if (scriptLanguage) send("speak", { language: scriptLanguage });
  else if (scriptBegin) send("begin", { version: Number(scriptBegin) });
  else if (scriptAct) send(scriptAct, scriptAct === "begin" ? { version: Number(panel().dataset.version) } : {});
  else if (button.dataset.scriptField) lead(button.dataset.scriptField, false);
  else if ("scriptSpecialist" in button.dataset) lead("consultation", true);
  else if (button.dataset.scriptPass) passOn(button.dataset.scriptPass);
});

// The panel that passes on, with the department or the employee looked for in it already.
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
  if (before?.isConnected) before.focus();
});

new MutationObserver(look).observe(card, {
  subtree: true,
  childList: true,
  attributes: true,
  attributeFilter: ["data-stage"],
});
look();
