// A template while it is edited: the resulting text, the number of messages, the price, the
// problems.

import { formToken } from "./token.js";

const WAIT_MILLISECONDS = 300; // without a keystroke

for (const field of document.querySelectorAll("[data-sampled]")) {
  const { preview } = field.closest("form").dataset;
  const summary = document.getElementById(field.getAttribute("aria-describedby"));
  const show = (name, text) => {
    summary.querySelector(`[data-${name}]`).textContent = text;
  };
  let timer = 0;

  async function update() {
    const text = field.value;
    const answer = await fetch(preview, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": formToken() },
      body: JSON.stringify({ language: field.dataset.sampled, text }),
    }).catch(() => null);
    if (!answer?.ok || field.value !== text) return; // problems are reported again on saving
    const { sample, size, trouble } = await answer.json();
    show("sample", sample);
    show("size", text.trim() ? size : "");
    show("trouble-here", trouble);
    field.toggleAttribute("aria-invalid", Boolean(trouble));
  }

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(update, WAIT_MILLISECONDS);
  });
}
