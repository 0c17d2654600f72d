// Correcting a registered form: choices as on the operator's form; a person or a legal entity is
// asked its own fields only.

import { giveChoices, showAsked } from "./operator/fields.js";

const form = document.getElementById("correction");

giveChoices(form, () => showAsked(form));
form.addEventListener("change", () => showAsked(form));
showAsked(form);
