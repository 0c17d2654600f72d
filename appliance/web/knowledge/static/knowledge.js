// Articles: the toolbar and preview of the editor, and whether an article was useful.

const csrfToken = () => document.querySelector("meta[name=csrf-token]").content;

// What a button puts about or before what is marked.
const AROUND = { bold: ["**", "**"], italic: ["*", "*"], link: ["[", "](https://)"] };
const BEFORE = { heading: () => "### ", list: () => "- ", numbered: (n) => `${n + 1}. `, quote: () => "> " };

function format(field, what) {
  const { selectionStart: start, selectionEnd: end, value } = field;
  field.focus();
  if (AROUND[what]) {
    const [before, after] = AROUND[what];
    replace(field, start, end, before + value.slice(start, end) + after);
    field.setSelectionRange(start + before.length, end + before.length);
    return;
  }
  const from = value.lastIndexOf("\n", start - 1) + 1;
  const to = value.indexOf("\n", end) < 0 ? value.length : value.indexOf("\n", end);
  const lines = value.slice(from, to).split("\n");
  replace(field, from, to, lines.map((line, n) => BEFORE[what](n) + line).join("\n"));
}

// By the browser's own way where it has one, so that Ctrl Z takes it back.
function replace(field, start, end, text) {
  field.setSelectionRange(start, end);
  if (!document.execCommand?.("insertText", false, text)) field.setRangeText(text, start, end, "end");
}

async function preview(form, field, seen) {
  const answer = await fetch(form.dataset.preview, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify({ language: field.dataset.language, text: field.value }),
  }).catch(() => null);
  if (!answer?.ok) return;
  const { html, other } = await answer.json();
  seen.querySelector("[data-html]").innerHTML = html; // sanitised by the server
  const place = seen.querySelector("[data-other]");
  if (place) place.innerHTML = other;
}

for (const form of document.querySelectorAll("form[data-editing]")) {
  for (const editor of form.querySelectorAll(".editor")) {
    const field = editor.querySelector("textarea");
    const seen = editor.querySelector(".seen");
    const look = editor.querySelector("button[data-preview]");
    let timer = 0;
    editor.querySelector(".toolbar").hidden = false;
    editor.addEventListener("click", ({ target }) => {
      const what = target.closest("[data-format]")?.dataset.format;
      if (what) format(field, what);
    });
    look.addEventListener("click", () => {
      seen.hidden = !seen.hidden;
      look.setAttribute("aria-pressed", String(!seen.hidden));
      if (!seen.hidden) preview(form, field, seen);
    });
    field.addEventListener("input", () => {
      clearTimeout(timer);
      if (!seen.hidden) timer = setTimeout(preview, 300, form, field, seen);
    });
  }
  let unsaved = false;
  form.addEventListener("input", () => {
    unsaved = true;
  });
  form.addEventListener("submit", () => {
    unsaved = false;
  });
  // Whoever leaves by another button or link, as by sending to the ministry, is asked first.
  addEventListener("beforeunload", (event) => unsaved && event.preventDefault());
}

document.addEventListener("click", ({ target }) => {
  const said = target.closest("[data-useful] button");
  if (!said) return;
  for (const button of said.form.querySelectorAll("button"))
    button.setAttribute("aria-pressed", String(button === said));
});
