// A form as it is tried: choices, what is asked and what is doubtful as at the operator's; nothing
// is kept.

import { showAsked } from "./operator/asked.js";
import { combobox } from "./operator/combobox.js";
import { placeChosen, scopeOf } from "./operator/places.js";
import { post } from "./operator/server.js";

const form = document.getElementById("preview");

async function look() {
  showAsked(form);
  const { doubts, empty, summary } = await post(form.dataset.try, { values: Object.fromEntries(new FormData(form)) });
  for (const field of form.querySelectorAll("[data-field]")) {
    const doubt = doubts[field.dataset.field] ?? "";
    const line = field.querySelector(".field-warn");
    line.querySelector("span").textContent = doubt;
    line.hidden = !doubt;
    field.toggleAttribute("data-warn", Boolean(doubt));
    field.toggleAttribute("data-empty", empty.includes(field.dataset.field));
  }
  document.getElementById("form-summary").innerHTML = summary;
}

for (const input of form.querySelectorAll("[role=combobox]")) {
  const name = input.name.replace(/_text$/, "");
  combobox(input, {
    scope: () => scopeOf(form, name),
    onChoose: (option) => {
      placeChosen(form, name, option);
      look();
    },
  });
}

form.addEventListener("change", look);
form.addEventListener("submit", (event) => event.preventDefault());
showAsked(form);
