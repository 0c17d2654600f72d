// A field of a form: what only a kind has is shown with that kind.

const form = document.getElementById("field");

function show() {
  const kind = form.elements.kind?.value;
  for (const part of form.querySelectorAll("[data-kind]")) part.hidden = part.dataset.kind !== kind;
}

form.addEventListener("change", show);
show();
