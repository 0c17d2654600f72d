// Correcting a registered form: fields offer the same choices as on the operator's form; a
// person and a legal entity are each asked only their own fields.

import { giveChoices, showAsked } from "./operator/fields.js";

const form = document.getElementById("correction");

giveChoices(form, () => showAsked(form));
form.addEventListener("change", () => showAsked(form));
showAsked(form);
