// Correcting a registered form: choices as on the operator's form; a person or a legal entity is
// asked its own fields only.

import { showAsked } from "./operator/asked.js";
import { combobox } from "./operator/combobox.js";
import { placeChosen, scopeOf } from "./operator/places.js";

const form = document.getElementById("correction");

for (const input of form.querySelectorAll("[role=combobox]")) {
  const name = input.name.replace(/_text$/, "");
  combobox(input, {
    scope: () => scopeOf(form, name),
    onChoose: (option) => {
      placeChosen(form, name, option);
      showAsked(form);
    },
  });
}

form.addEventListener("change", () => showAsked(form));
showAsked(form);

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.key !== "Enter" || !event.ctrlKey) return;
  event.preventDefault(); // an operator's pages hear the button's key, too
  form.requestSubmit();
});
