// Correcting a registered form: choices as on the operator's form; a person or a legal entity is
// asked its own fields only.

import { giveChoices, showAsked } from "./operator/fields.js";

const form = document.getElementById("correction");

giveChoices(form, () => showAsked(form));
form.addEventListener("change", () => showAsked(form));
showAsked(form);

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.key !== "Enter" || !event.ctrlKey) return;
  event.preventDefault(); // an operator's pages hear the button's key, too
  form.requestSubmit();
});
