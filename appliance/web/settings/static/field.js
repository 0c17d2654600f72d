// A field of a form: inputs that belong to one kind of field are shown only for that kind.

const form = document.getElementById("field");

function show() {
  const kind = form.elements.kind?.value;
  for (const part of form.querySelectorAll("[data-kind]")) part.hidden = part.dataset.kind !== kind;
}

form.addEventListener("change", show);
show();
