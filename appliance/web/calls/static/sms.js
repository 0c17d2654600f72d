// A short message while it is written, on a card or on the operator's page: templates fill its text, its parts and
// price are told, and what would hinder it. Ctrl Enter sends. On a card it is a form like any other.

const WAIT = 300; // milliseconds without a key

const csrfToken = () => document.querySelector("meta[name=csrf-token]").content;

async function post(url, values) {
  return fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
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

export function say(form, trouble) {
  const place = form.querySelector("[data-trouble-here]");
  place.textContent = trouble;
  place.closest(".field-warn").hidden = !trouble;
}

export function enhance(form) {
  if (form.dataset.ready !== undefined) return;
  form.dataset.ready = "";
  const { sms: text, to, template } = form.elements;
  let filled = ""; // the text that a template gave, while nobody has changed it
  let timer = 0;
  let asked = 0;

  async function ask(fill) {
    const number = ++asked;
    const before = text.value;
    const answer = await post(form.dataset.sms, { ...valuesOf(form), fill }).catch(() => null);
    if (!answer?.ok || number !== asked || text.value !== before) return; // sending says it again
    const told = await answer.json();
    if (fill) put(told.text);
    form.querySelector("[data-size]").textContent = text.value ? told.size : "";
    form.querySelector("[data-late]").textContent = told.late;
    say(form, text.value.trim() && (told.field === "sms" || to.value) ? told.trouble : "");
  }

  // A template takes the place of another's text; what somebody has typed stays, and it follows.
  function put(words) {
    const own = text.value.trim() && text.value !== filled;
    text.value = own ? `${text.value.trimEnd()} ${words}` : words;
    filled = own ? "" : words;
  }

  form.addEventListener("change", ({ target }) => {
    if (target === template && template.value) ask(true);
    else if (target.name === "language" && template?.value && text.value === filled) ask(true);
  });
  if (template?.value && !text.value) ask(true);
  form.addEventListener("input", ({ target }) => {
    if (target !== text && target !== to) return;
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT, false);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.ctrlKey) return;
    event.preventDefault(); // the page's own Ctrl Enter is another form's
    event.stopPropagation();
    if (!event.repeat) form.requestSubmit();
  });
  if (text.value) ask(false);
}

for (const form of document.querySelectorAll("form[data-sms]")) enhance(form);
