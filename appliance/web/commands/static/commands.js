// The command line: what is typed is looked for on the server; arrow keys mark a line, Enter takes it. A line does what
// its data says: it goes to an address, does an action of the page, fills a field of the form, passes a caller on.

import { doing } from "./keys.js";
import { lightDialog } from "./light.js";

const WAIT = 100; // milliseconds between the last letter and the question

const dialog = document.getElementById("commands");
const passing = () => document.getElementById("passing");

if (dialog) listen();

function listen() {
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  const toggle = lightDialog(dialog);
  let marked = 0;
  let timer = 0;
  let asking = null; // the question under way

  const rows = () => [...list.querySelectorAll("[role=option]")];

  for (const button of document.querySelectorAll("[data-commands]")) {
    button.addEventListener("click", () => {
      toggle(input);
      if (!dialog.open) return;
      input.select();
      ask();
    });
  }

  function mark(index) {
    const all = rows();
    marked = all.length ? (index + all.length) % all.length : 0;
    for (const [i, row] of all.entries()) row.setAttribute("aria-selected", String(i === marked));
    input.setAttribute("aria-expanded", String(all.length > 0));
    if (!all.length) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", all[marked].id);
    return all[marked].scrollIntoView({ block: "nearest" });
  }

  async function ask() {
    clearTimeout(timer);
    timer = 0;
    asking?.abort();
    const question = new AbortController();
    asking = question;
    const asked = new URLSearchParams({ q: input.value.trim() });
    try {
      const answer = await fetch(`${dialog.dataset.from}&${asked}`, { signal: question.signal, redirect: "manual" });
      if (!answer.ok) throw new Error(answer.status);
      const piece = await answer.text();
      if (question !== asking) return;
      show(piece);
    } catch (error) {
      if (error.name !== "AbortError") say(dialog.dataset.noLink);
    }
    if (question === asking) asking = null;
  }

  function show(piece) {
    list.innerHTML = piece;
    for (const row of rows()) if (!taking(row)) row.remove(); // not at this moment
    for (const group of list.querySelectorAll("[role=group]")) {
      if (!group.querySelector("[role=option]")) group.remove();
    }
    const count = rows().length;
    list.querySelector("[data-nothing]").hidden = count > 0;
    say(count ? dialog.dataset.told.replace("#", count) : dialog.dataset.nothing);
    mark(0);
  }

  function say(text) {
    dialog.querySelector("[data-count]").textContent = text;
  }

  function take(row) {
    const run = row && taking(row);
    if (!run) return;
    dialog.close();
    run();
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  });
  input.addEventListener("keydown", async (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.code];
    if (step) mark(marked + step);
    else if (["Enter", "NumpadEnter"].includes(event.code)) {
      event.preventDefault();
      if (timer || asking) await ask(); // who types faster than the server answers means what he typed
      return take(rows()[marked]);
    } else return;
    event.preventDefault();
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the line keeps the focus
  list.addEventListener("click", ({ target }) => take(target.closest("[role=option]")));
}

// What a line does at this moment; null for nothing.
function taking({ dataset: { address, act, passOn, fieldName, choice, read } }) {
  if (read && document.querySelector("[data-knowledge]")) return () => readBeside(read);
  if (address) return () => location.assign(address);
  if (act) return doing(document.querySelector(`#shortcuts [data-action="${act}"]`));
  if (passOn) return passing() && (() => pass(passOn));
  const field = document.querySelector(`#form [name="${fieldName}_text"]`);
  if (!field || field.closest("[hidden]")) return null;
  return () => {
    field.focus();
    field.dispatchEvent(new CustomEvent("choose", { detail: JSON.parse(choice) }));
  };
}

// The knowledge base beside the form, with the article of this title first: Enter there opens it.
function readBeside(title) {
  if (document.getElementById("knowledge").hidden) document.querySelector("[data-knowledge]").click();
  const search = document.getElementById("knowledge-q");
  search.value = title;
  search.focus();
  search.dispatchEvent(new Event("input"));
}

// The panel that passes on or calls out, with this number in it: Enter there does it.
function pass(number) {
  if (passing().hidden) document.querySelector("[data-pass]")?.click();
  const search = document.getElementById("passing-q");
  search.value = number;
  search.focus();
  search.dispatchEvent(new Event("input"));
}
