// The fields of a form, on any page: which are asked, their choices, doubts about their values.

import { combobox } from "./combobox.js";
import { placeChosen, scopeOf } from "./places.js";

// Fields for a person are not asked of a legal entity, and some are asked for certain directions only.
export function showAsked(form) {
  const { applicant_kind: kind, direction } = form.elements;
  const isAsked = ({ only, topics }) =>
    (!only || only === (kind?.value || "person")) && (!topics || topics.split(" ").includes(direction?.value));
  for (const field of form.querySelectorAll("[data-only], [data-topics]")) field.hidden = !isAsked(field.dataset);
}

// Attaches choices to each field with a list; `onChosen` is called with the field's input.
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

// Shows the server's doubts and missing fields on the labels' lines and at the foot of the form.
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
