// The command line: the typed text is searched for on the server; arrow keys select a line,
// Enter executes it. The data attributes of a line say what it does: open an address, perform
// an action of the page, fill in a field of the form, or transfer a caller.

import { actionFor } from "./keys.js";
import { lightDialog } from "./light.js";

const WAIT_MILLISECONDS = 100; // between the last letter and the request

const dialog = document.getElementById("commands");
const transferPanel = () => document.getElementById("passing");

if (dialog) listen();

function listen() {
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  const toggle = lightDialog(dialog);
  let markedIndex = 0;
  let timer = 0;
  let currentRequest = null; // the current request

  const rows = () => [...list.querySelectorAll("[role=option]")];

  for (const button of document.querySelectorAll("[data-commands]")) {
    button.addEventListener("click", () => {
      toggle(input);
      if (!dialog.open) return;
      input.select();
      search();
    });
  }

  function mark(index) {
    const options = rows();
    markedIndex = options.length ? (index + options.length) % options.length : 0;
    for (const [i, row] of options.entries()) row.setAttribute("aria-selected", String(i === markedIndex));
    input.setAttribute("aria-expanded", String(options.length > 0));
    if (!options.length) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", options[markedIndex].id);
    return options[markedIndex].scrollIntoView({ block: "nearest" });
  }

  async function search() {
    clearTimeout(timer);
    timer = 0;
    currentRequest?.abort();
    const request = new AbortController();
    currentRequest = request;
    const query = new URLSearchParams({ q: input.value.trim() });
    try {
      const answer = await fetch(`${dialog.dataset.from}&${query}`, { signal: request.signal, redirect: "manual" });
      if (!answer.ok) throw new Error(answer.status);
      const piece = await answer.text();
      if (request !== currentRequest) return;
      show(piece);
    } catch (error) {
      if (error.name !== "AbortError") say(dialog.dataset.noLink);
    }
    if (request === currentRequest) currentRequest = null;
  }

  function show(piece) {
    list.innerHTML = piece;
    for (const row of rows()) if (!actionOf(row)) row.remove(); // not available now
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

  function execute(row) {
    const run = row && actionOf(row);
    if (!run) return;
    dialog.close();
    run();
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, WAIT_MILLISECONDS);
  });
  input.addEventListener("keydown", async (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.code];
    if (step) mark(markedIndex + step);
    else if (["Enter", "NumpadEnter"].includes(event.code)) {
      event.preventDefault();
      // the user types faster than the server answers: the line is for the newest text
      if (timer || currentRequest) await search();
      return execute(rows()[markedIndex]);
    } else return;
    event.preventDefault();
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the line keeps the focus
  list.addEventListener("click", ({ target }) => execute(target.closest("[role=option]")));
}

// The action of a line at present; null if it does nothing.
function actionOf({ dataset: { address, act, passOn, fieldName, choice, read } }) {
  if (read && document.querySelector("[data-knowledge]")) return () => openArticle(read);
  if (address) return () => location.assign(address);
  if (act) return actionFor(document.querySelector(`#shortcuts [data-action="${act}"]`));
  if (passOn) return transferPanel() && (() => openTransfer(passOn));
  const field = document.querySelector(`#form [name="${fieldName}_text"]`);
  if (!field || field.closest("[hidden]")) return null;
  return () => {
    field.focus();
    field.dispatchEvent(new CustomEvent("choose", { detail: JSON.parse(choice) }));
  };
}

// Opens the knowledge base next to the form, with the article of this title first, so that
// Enter opens it.
function openArticle(title) {
  if (document.getElementById("knowledge").hidden) document.querySelector("[data-knowledge]").click();
  const search = document.getElementById("knowledge-q");
  search.value = title;
  search.focus();
  search.dispatchEvent(new Event("input"));
}

// Opens the panel for transfers and outgoing calls with this number filled in, so that Enter
// calls it.
function openTransfer(number) {
  if (transferPanel().hidden) document.querySelector("[data-pass]")?.click();
  const search = document.getElementById("passing-q");
  search.value = number;
  search.focus();
  search.dispatchEvent(new Event("input"));
}
