// The panel that transfers the caller, or places a call when nobody is on the line. It is no
// part of the form: the typed values are never touched.

import { getPage, LinkLost, post } from "./server.js";

const WAIT_MILLISECONDS = 120; // between the last letter and the request

const panel = document.getElementById("passing");
const input = document.getElementById("passing-q");
const results = document.getElementById("passing-found");
const trouble = panel.querySelector("[data-trouble-here]");
const line = () => document.getElementById("bar").dataset.line;
const rows = () => [...results.querySelectorAll("li:has(button)")];

let mode = "";
let markedIndex = 0;
let timer = 0;
let latestSearch = Promise.resolve(); // resolves with the newest request
let previousFocus = null; // the element that had the focus
let isBusy = false;

export function listenToTransfers({ onTrouble }) {
  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-pass]")) toggle();
  });
  panel.querySelector("[data-close]").addEventListener("click", close);
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, WAIT_MILLISECONDS);
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    else if (event.target !== input) return;
    else if (event.key === "ArrowDown" || event.key === "ArrowUp")
      mark(markedIndex + (event.key === "ArrowDown" ? 1 : -1));
    else if (event.key === "Enter" && !event.ctrlKey) pressMarked(event.shiftKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  results.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (button) transfer(button, onTrouble);
  });
}

// The caller may hang up during the search: the panel reports it and stays open.
export function updateMode() {
  if (panel.hidden || mode === wantedMode()) return;
  if (mode === "pass") showTrouble(panel.dataset.gone);
  show();
}

const wantedMode = () => (line() === "talk" ? "pass" : "call");

function toggle() {
  if (!panel.hidden) return close();
  previousFocus = document.activeElement;
  panel.hidden = false;
  showTrouble("");
  show();
  input.focus();
  input.select();
}

function show() {
  if (mode !== wantedMode()) results.replaceChildren(); // results for an outgoing call must not be used for a transfer
  mode = wantedMode();
  for (const part of panel.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== mode;
  search();
}

function close() {
  panel.hidden = true;
  if (previousFocus?.isConnected) previousFocus.focus();
}

function showTrouble(text) {
  trouble.textContent = text;
}

function search() {
  clearTimeout(timer);
  timer = 0;
  latestSearch = showResults();
  return latestSearch;
}

const searchUrl = () => `${panel.dataset.search}?${new URLSearchParams({ q: input.value, to: mode })}`;

async function showResults() {
  const url = searchUrl();
  try {
    const answer = await getPage(url);
    if (url !== searchUrl()) return;
    results.innerHTML = answer;
    mark(0);
  } catch {
    showTrouble(document.getElementById("at-hand").dataset.noLink);
  }
}

function mark(index) {
  const options = rows();
  markedIndex = Math.max(0, Math.min(index, options.length - 1));
  for (const [i, row] of options.entries()) row.toggleAttribute("data-marked", i === markedIndex);
  options[markedIndex]?.scrollIntoView({ block: "nearest" });
}

async function pressMarked(usesSecondButton) {
  await (timer ? search() : latestSearch); // the user types faster than the server answers: waits for the newest text
  const buttons = rows()[markedIndex]?.querySelectorAll("button") ?? [];
  (buttons[usesSecondButton ? 1 : 0] ?? buttons[0])?.click();
}

async function transfer(button, onTrouble) {
  if (isBusy) return;
  isBusy = true;
  showTrouble("");
  const { call, of, how, number } = button.dataset;
  const reason = button.dataset.reason ?? panel.querySelector("[name=passing-reason]:checked").value;
  try {
    const answer =
      call || of
        ? await post(panel.dataset.dial, { number: call, of, reason })
        : await post(panel.dataset.transfer, { how, number });
    if (answer.trouble) return showTrouble(answer.trouble);
    close();
    document.getElementById("bar").dispatchEvent(new Event("live"));
  } catch (error) {
    if (error instanceof LinkLost) showTrouble(document.getElementById("at-hand").dataset.noLink);
    else onTrouble(error);
  } finally {
    isBusy = false;
  }
}
