// A short message while it is written, on a card or on the operator's page: templates fill in
// its text; its number of parts, its price and any problems are shown. Ctrl Enter sends it. On
// a card it is an ordinary form.

import { formToken } from "./token.js";

const WAIT_MILLISECONDS = 300; // without a keystroke

async function post(url, values) {
  return fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": formToken() },
    body: JSON.stringify(values),
    redirect: "manual",
    signal: AbortSignal.timeout(10_000),
  });
}

export const valuesOf = (form) => {
  const values = Object.fromEntries(new FormData(form));
  delete values.csrf_token;
  return values;
};

export function showTrouble(form, trouble) {
  const place = form.querySelector("[data-trouble-here]");
  place.textContent = trouble;
  place.closest(".field-warn").hidden = !trouble;
}

export function enhance(form) {
  if (form.dataset.ready !== undefined) return;
  form.dataset.ready = "";
  const { sms: text, to, template } = form.elements;
  let templateText = ""; // the text inserted from a template, until somebody changes it
  let timer = 0;
  let requestCount = 0;

  async function checkMessage(fill) {
    const number = ++requestCount;
    const before = text.value;
    const answer = await post(form.dataset.sms, { ...valuesOf(form), fill }).catch(() => null);
    // problems are reported again on sending
    if (!answer?.ok || number !== requestCount || text.value !== before) return;
    const preview = await answer.json();
    if (fill) insertText(preview.text);
    form.querySelector("[data-size]").textContent = text.value ? preview.size : "";
    form.querySelector("[data-late]").textContent = preview.late;
    showTrouble(form, text.value.trim() && (preview.field === "sms" || to.value) ? preview.trouble : "");
  }

  // A template replaces another template's text; text that the user typed is kept, and the
  // template is appended.
  function insertText(newText) {
    const isTyped = text.value.trim() && text.value !== templateText;
    text.value = isTyped ? `${text.value.trimEnd()} ${newText}` : newText;
    templateText = isTyped ? "" : newText;
  }

  form.addEventListener("change", ({ target }) => {
    if (target === template && template.value) checkMessage(true);
    else if (target.name === "language" && template?.value && text.value === templateText) checkMessage(true);
  });
  if (template?.value && !text.value) checkMessage(true);
  form.addEventListener("input", ({ target }) => {
    if (target !== text && target !== to) return;
    clearTimeout(timer);
    timer = setTimeout(checkMessage, WAIT_MILLISECONDS, false);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.ctrlKey) return;
    event.preventDefault(); // the page's own Ctrl Enter belongs to another form
    event.stopPropagation();
    if (!event.repeat) form.requestSubmit();
  });
  if (text.value) checkMessage(false);
}

for (const form of document.querySelectorAll("form[data-sms]")) enhance(form);
