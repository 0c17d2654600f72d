// A type-ahead field: choices from the server from the first letter on. Tab takes the first
// choice if it is the only plausible one; text that is not on the list is kept. The code goes
// into the hidden input next to the field.

import { TIMEOUT_MILLISECONDS } from "./server.js";

const WAIT_MILLISECONDS = 80; // between the last letter and the request

// A user who types faster than the server answers leaves a field that still waits for its
// choice. The next field's request waits too, because it searches within that choice.
let pendingChoice = Promise.resolve();

// Resolves when no field waits for its choice any more, or after a timeout.
export const choicesSettled = () =>
  Promise.race([pendingChoice, new Promise((resolve) => setTimeout(resolve, TIMEOUT_MILLISECONDS))]);

export function combobox(input, { scope, onChoose }) {
  const code = input.parentElement.querySelector("input[type=hidden]");
  const list = document.getElementById(input.getAttribute("aria-controls"));
  let options = [];
  let activeIndex = -1;
  let timer = 0;
  let currentRequest = null; // the current request
  let finishWaiting = null; // set while waiting for the first choice of a response; calling it ends the waiting

  function close() {
    stopWaiting();
    clearTimeout(timer);
    timer = 0;
    currentRequest?.abort();
    currentRequest = null;
    options = [];
    activeIndex = -1;
    list.hidden = true;
    list.replaceChildren();
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(index) {
    activeIndex = index;
    for (const [i, row] of [...list.children].entries()) row.setAttribute("aria-selected", String(i === index));
    const row = list.children[index];
    if (!row) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", row.id);
    return row.scrollIntoView({ block: "nearest" });
  }

  function choose(option) {
    close();
    input.value = option.name;
    code.value = option.code;
    onChoose(option);
  }

  function rowOf(option, index) {
    const row = document.createElement("li");
    row.id = `${list.id}-${index}`;
    row.setAttribute("role", "option");
    const name = document.createElement("span");
    const [from, to] = option.match;
    const highlight = document.createElement("mark");
    highlight.textContent = option.name.slice(from, to);
    name.append(option.name.slice(0, from), to > from ? highlight : "", option.name.slice(to));
    row.append(name);
    if (option.parent) {
      const parent = document.createElement("span");
      parent.className = "push muted small";
      parent.textContent = option.parent;
      row.append(parent);
    }
    row.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // the field keeps the focus
      choose(option);
    });
    return row;
  }

  function show(matches) {
    options = matches;
    list.replaceChildren(...matches.map(rowOf));
    list.hidden = !matches.length;
    if (matches.length) placeList();
    input.setAttribute("aria-expanded", String(matches.length > 0));
    mark(matches[0]?.near && input.value.trim() ? 0 : -1);
  }

  // Opens the list to the side and in the direction where its panel has room.
  function placeList() {
    const panel = input.closest(".panel-body").getBoundingClientRect();
    const field = input.getBoundingClientRect();
    const below = panel.bottom - field.bottom;
    list.toggleAttribute("data-end", field.left + list.offsetWidth > panel.right);
    list.toggleAttribute("data-up", below < list.offsetHeight && below < field.top - panel.top);
  }

  async function search() {
    timer = 0;
    currentRequest?.abort();
    const request = new AbortController();
    currentRequest = request;
    if (!finishWaiting) await pendingChoice;
    if (request !== currentRequest) return;
    const query = new URLSearchParams({ q: code.value ? "" : input.value.trim(), ...scope() });
    try {
      const answer = await fetch(`${input.dataset.choices}?${query}`, { signal: request.signal });
      const matches = answer.ok ? await answer.json() : [];
      if (request !== currentRequest) return;
      currentRequest = null;
      if (finishWaiting) {
        if (matches[0]?.near) choose(matches[0]);
        stopWaiting();
      } else if (document.activeElement === input) show(matches);
    } catch (error) {
      if (error.name === "AbortError") return;
      stopWaiting();
      close(); // no connection: the typed text stays, and is looked up when the form is saved
    }
  }

  // Whether the displayed choices, if any, belong to an earlier text, so that they must not be taken.
  function isOutdated() {
    return Boolean((timer || currentRequest) && input.value.trim() && !code.value);
  }

  // The user typed faster than the server answers: takes the first choice of the next response.
  function waitForFirst() {
    const previousChoice = pendingChoice;
    pendingChoice = new Promise((resolve) => (finishWaiting = resolve));
    clearTimeout(timer);
    previousChoice.then(search);
  }

  function stopWaiting() {
    finishWaiting?.();
    finishWaiting = null;
  }

  input.addEventListener("input", () => {
    code.value = "";
    stopWaiting();
    clearTimeout(timer);
    if (input.value.trim()) timer = setTimeout(search, WAIT_MILLISECONDS);
    else close();
  });

  input.addEventListener("keydown", (event) => {
    const open = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) search();
      else {
        const step = event.key === "ArrowDown" ? 1 : -1;
        mark((activeIndex + step + options.length) % options.length);
      }
    } else if (event.key === "Enter" && !event.ctrlKey) {
      event.preventDefault();
      if (isOutdated()) waitForFirst();
      else if (open && activeIndex >= 0) choose(options[activeIndex]);
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      close();
    } else if (event.key === "Tab" || (event.key === "Enter" && event.ctrlKey)) {
      if (isOutdated()) waitForFirst();
      else if (open && activeIndex >= 0) choose(options[activeIndex]);
    }
  });

  input.addEventListener("choose", ({ detail }) => choose(detail)); // sent by the command line

  input.addEventListener("pointerdown", () => {
    if (list.hidden && document.activeElement === input) search();
  });
  input.addEventListener("focus", () => {
    if (!input.value && input.matches(":hover")) search();
  });
  input.addEventListener("blur", () => {
    if (!finishWaiting) close();
  });
  // Text was typed before this script was loaded.
  if (document.activeElement === input && input.value.trim() && !code.value) search();
}
