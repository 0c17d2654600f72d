// The fields of a form, on whatever page: which are asked, what they choose from, what is doubtful.

import { combobox } from "./combobox.js";
import { placeChosen, scopeOf } from "./places.js";

// What is asked of a person is not asked of a legal entity, and some only about certain directions.
export function showAsked(form) {
  const { applicant_kind: kind, direction } = form.elements;
  const asked = ({ only, topics }) =>
    (!only || only === (kind?.value || "person")) && (!topics || topics.split(" ").includes(direction?.value));
  for (const field of form.querySelectorAll("[data-only], [data-topics]")) field.hidden = !asked(field.dataset);
}

// Gives each field with a list its choices; `onChosen` is called with the field's input.
export function giveChoices(form, onChosen) {
  for (const input of form.querySelectorAll("[role=combobox]")) {
    const name = input.name.replace(/_text$/, "");
    combobox(input, {
      scope: () => scopeOf(form, name),
      onChoose: (option) => {
        placeChosen(form, name, option);
        onChosen(input);
      },
    });
  }
}

// What the server says is doubtful or empty, on the labels' lines and at the form's foot.
export function showDoubts(form, { doubts, empty, summary }) {
  for (const field of form.querySelectorAll("[data-field]")) {
    const doubt = doubts[field.dataset.field] ?? "";
    const line = field.querySelector(".field-warn");
    const text = line.querySelector("span");
    if (text.textContent !== doubt) text.textContent = doubt;
    line.hidden = !doubt;
    field.toggleAttribute("data-warn", Boolean(doubt));
    field.toggleAttribute("data-empty", empty.includes(field.dataset.field));
  }
  document.getElementById("form-summary").innerHTML = summary;
}
