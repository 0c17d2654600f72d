// The panel that passes the caller on, or calls out when nobody is on the line. It is no part of
// the form: what is typed there is never touched.

import { getPage, LinkLost, post } from "./server.js";

const WAIT = 120; // milliseconds between the last letter and the question

const panel = document.getElementById("passing");
const input = document.getElementById("passing-q");
const found = document.getElementById("passing-found");
const trouble = panel.querySelector("[data-trouble-here]");
const line = () => document.getElementById("bar").dataset.line;
const rows = () => [...found.querySelectorAll("li:has(button)")];

let mode = "";
let marked = 0;
let timer = 0;
let answered = Promise.resolve(); // of the newest question
let before = null; // what had the focus
let busy = false;

export function listenToTransfers({ onTrouble }) {
  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-pass]")) toggle();
  });
  panel.querySelector("[data-close]").addEventListener("click", close);
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, WAIT);
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    else if (event.target !== input) return;
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") mark(marked + (event.key === "ArrowDown" ? 1 : -1));
    else if (event.key === "Enter" && !event.ctrlKey) takeMarked(event.shiftKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  found.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (button) take(button, onTrouble);
  });
}

// The caller may hang up while somebody is looked for: the panel says so and stays.
export function lineChanged() {
  if (panel.hidden || mode === wanted()) return;
  if (mode === "pass") say(panel.dataset.gone);
  show();
}

const wanted = () => (line() === "talk" ? "pass" : "call");

function toggle() {
  if (!panel.hidden) return close();
  before = document.activeElement;
  panel.hidden = false;
  say("");
  show();
  input.focus();
  input.select();
}

function show() {
  if (mode !== wanted()) found.replaceChildren(); // nobody is passed on by what was found for a call out
  mode = wanted();
  for (const part of panel.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== mode;
  search();
}

function close() {
  panel.hidden = true;
  if (before?.isConnected) before.focus();
}

function say(text) {
  trouble.textContent = text;
}

function search() {
  clearTimeout(timer);
  timer = 0;
  answered = find();
  return answered;
}

const question = () => `${panel.dataset.search}?${new URLSearchParams({ q: input.value, to: mode })}`;

async function find() {
  const asked = question();
  try {
    const answer = await getPage(asked);
    if (asked !== question()) return;
    found.innerHTML = answer;
    mark(0);
  } catch {
    say(document.getElementById("at-hand").dataset.noLink);
  }
}

function mark(index) {
  const all = rows();
  marked = Math.max(0, Math.min(index, all.length - 1));
  for (const [i, row] of all.entries()) row.toggleAttribute("data-marked", i === marked);
  all[marked]?.scrollIntoView({ block: "nearest" });
}

async function takeMarked(second) {
  await (timer ? search() : answered); // who types faster than the server answers means what he typed
  const buttons = rows()[marked]?.querySelectorAll("button") ?? [];
  (buttons[second ? 1 : 0] ?? buttons[0])?.click();
}

async function take(button, onTrouble) {
  if (busy) return;
  busy = true;
  say("");
  const { call, of, how, number } = button.dataset;
  const reason = button.dataset.reason ?? panel.querySelector("[name=passing-reason]:checked").value;
  try {
    const answer =
      call || of
        ? await post(panel.dataset.dial, { number: call, of, reason })
        : await post(panel.dataset.transfer, { how, number });
    if (answer.trouble) return say(answer.trouble);
    close();
    document.getElementById("bar").dispatchEvent(new Event("live"));
  } catch (error) {
    if (error instanceof LinkLost) say(document.getElementById("at-hand").dataset.noLink);
    else onTrouble(error);
  } finally {
    busy = false;
  }
}
