// Articles: the toolbar and the preview of the editor, and the feedback whether an article was
// useful.

import { formToken } from "./token.js";

// The markup that a button puts around or before the selection.
const MARKUP_AROUND = { bold: ["**", "**"], italic: ["*", "*"], link: ["[", "](https://)"] };
const MARKUP_BEFORE = { heading: () => "### ", list: () => "- ", numbered: (n) => `${n + 1}. `, quote: () => "> " };

function format(field, what) {
  const { selectionStart: start, selectionEnd: end, value } = field;
  field.focus();
  if (MARKUP_AROUND[what]) {
    const [before, after] = MARKUP_AROUND[what];
    replace(field, start, end, before + value.slice(start, end) + after);
    field.setSelectionRange(start + before.length, end + before.length);
    return;
  }
  const from = value.lastIndexOf("\n", start - 1) + 1;
  const to = value.indexOf("\n", end) < 0 ? value.length : value.indexOf("\n", end);
  const lines = value.slice(from, to).split("\n");
  replace(field, from, to, lines.map((line, n) => MARKUP_BEFORE[what](n) + line).join("\n"));
}

// Uses the browser's own editing command where there is one, so that Ctrl Z undoes it.
function replace(field, start, end, text) {
  field.setSelectionRange(start, end);
  if (!document.execCommand?.("insertText", false, text)) field.setRangeText(text, start, end, "end");
}

async function preview(form, field, previewArea) {
  const answer = await fetch(form.dataset.preview, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": formToken() },
    body: JSON.stringify({ language: field.dataset.language, text: field.value }),
  }).catch(() => null);
  if (!answer?.ok) return;
  const { html, other } = await answer.json();
  previewArea.querySelector("[data-html]").innerHTML = html; // sanitised by the server
  const place = previewArea.querySelector("[data-other]");
  if (place) place.innerHTML = other;
}

for (const form of document.querySelectorAll("form[data-editing]")) {
  for (const editor of form.querySelectorAll(".editor")) {
    const field = editor.querySelector("textarea");
    const previewArea = editor.querySelector(".seen");
    const previewButton = editor.querySelector("button[data-preview]");
    let timer = 0;
    editor.querySelector(".toolbar").hidden = false;
    editor.addEventListener("click", ({ target }) => {
      const what = target.closest("[data-format]")?.dataset.format;
      if (what) format(field, what);
    });
    previewButton.addEventListener("click", () => {
      previewArea.hidden = !previewArea.hidden;
      previewButton.setAttribute("aria-pressed", String(!previewArea.hidden));
      if (!previewArea.hidden) preview(form, field, previewArea);
    });
    field.addEventListener("input", () => {
      clearTimeout(timer);
      if (!previewArea.hidden) timer = setTimeout(preview, 300, form, field, previewArea);
    });
  }
  let unsaved = false;
  form.addEventListener("input", () => {
    unsaved = true;
  });
  form.addEventListener("submit", () => {
    unsaved = false;
  });
  // Asks before the user leaves by another button or link, such as sending to the ministry.
  addEventListener("beforeunload", (event) => unsaved && event.preventDefault());
}

document.addEventListener("click", ({ target }) => {
  const answerButton = target.closest("[data-useful] button");
  if (!answerButton) return;
  for (const button of answerButton.form.querySelectorAll("button"))
    button.setAttribute("aria-pressed", String(button === answerButton));
});
