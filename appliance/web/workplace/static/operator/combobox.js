// A type-ahead field: choices from the server from the first letter; Tab takes the first of them if nothing else can have
// been meant; what was typed stays when it is on no list. The code goes into the hidden input beside the field.

import { PATIENCE } from "./server.js";

const WAIT = 80; // milliseconds between the last letter and the question

// Somebody who types faster than the server answers leaves a field that still waits for its choice.
// The next field's question waits too, for it asks within that choice.
let choosing = Promise.resolve();

// Resolves when no field waits for its choice any more, or has waited too long.
export const chosen = () => Promise.race([choosing, new Promise((done) => setTimeout(done, PATIENCE))]);

export function combobox(input, { scope, onChoose }) {
  const code = input.parentElement.querySelector("input[type=hidden]");
  const list = document.getElementById(input.getAttribute("aria-controls"));
  let options = [];
  let active = -1;
  let timer = 0;
  let asking = null; // the question under way
  let taken = null; // set while the first choice of an answer is waited for; ends the waiting

  function close() {
    takeNothing();
    clearTimeout(timer);
    timer = 0;
    asking?.abort();
    asking = null;
    options = [];
    active = -1;
    list.hidden = true;
    list.replaceChildren();
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(index) {
    active = index;
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
    const found = document.createElement("mark");
    found.textContent = option.name.slice(from, to);
    name.append(option.name.slice(0, from), to > from ? found : "", option.name.slice(to));
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

  function show(found) {
    options = found;
    list.replaceChildren(...found.map(rowOf));
    list.hidden = !found.length;
    if (found.length) place();
    input.setAttribute("aria-expanded", String(found.length > 0));
    mark(found[0]?.near && input.value.trim() ? 0 : -1);
  }

  // The list opens to the side and in the direction where its panel has room.
  function place() {
    const panel = input.closest(".panel-body").getBoundingClientRect();
    const field = input.getBoundingClientRect();
    const below = panel.bottom - field.bottom;
    list.toggleAttribute("data-end", field.left + list.offsetWidth > panel.right);
    list.toggleAttribute("data-up", below < list.offsetHeight && below < field.top - panel.top);
  }

  async function ask() {
    timer = 0;
    asking?.abort();
    const question = new AbortController();
    asking = question;
    if (!taken) await choosing;
    if (question !== asking) return;
    const asked = new URLSearchParams({ q: code.value ? "" : input.value.trim(), ...scope() });
    try {
      const answer = await fetch(`${input.dataset.choices}?${asked}`, { signal: question.signal });
      const found = answer.ok ? await answer.json() : [];
      if (question !== asking) return;
      asking = null;
      if (taken) {
        if (found[0]?.near) choose(found[0]);
        takeNothing();
      } else if (document.activeElement === input) show(found);
    } catch (error) {
      if (error.name === "AbortError") return;
      takeNothing();
      close(); // no link to the server: what is typed stays, and is looked up when it is saved
    }
  }

  // Whether the choices shown, if any, are those of an earlier text: none of them may be taken.
  function behind() {
    return Boolean((timer || asking) && input.value.trim() && !code.value);
  }

  // Typed faster than the server answers: take the first choice of the answer to come.
  function takeFirst() {
    const before = choosing;
    choosing = new Promise((done) => (taken = done));
    clearTimeout(timer);
    before.then(ask);
  }

  function takeNothing() {
    taken?.();
    taken = null;
  }

  input.addEventListener("input", () => {
    code.value = "";
    takeNothing();
    clearTimeout(timer);
    if (input.value.trim()) timer = setTimeout(ask, WAIT);
    else close();
  });

  input.addEventListener("keydown", (event) => {
    const open = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) ask();
      else {
        const step = event.key === "ArrowDown" ? 1 : -1;
        mark((active + step + options.length) % options.length);
      }
    } else if (event.key === "Enter" && !event.ctrlKey) {
      event.preventDefault();
      if (behind()) takeFirst();
      else if (open && active >= 0) choose(options[active]);
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      close();
    } else if (event.key === "Tab" || (event.key === "Enter" && event.ctrlKey)) {
      if (behind()) takeFirst();
      else if (open && active >= 0) choose(options[active]);
    }
  });

  input.addEventListener("choose", ({ detail }) => choose(detail)); // of the command line

  input.addEventListener("pointerdown", () => {
    if (list.hidden && document.activeElement === input) ask();
  });
  input.addEventListener("focus", () => {
    if (!input.value && input.matches(":hover")) ask();
  });
  input.addEventListener("blur", () => {
    if (!taken) close();
  });
  // Typed before this script had come.
  if (document.activeElement === input && input.value.trim() && !code.value) ask();
}
