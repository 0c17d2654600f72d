// A form as it is tried: choices, what is asked and what is doubtful as at the operator's; nothing
// is kept.

import { giveChoices, showAsked, showDoubts } from "./operator/fields.js";
import { post } from "./operator/server.js";

const form = document.getElementById("preview");

async function look() {
  showAsked(form);
  showDoubts(form, await post(form.dataset.try, { values: Object.fromEntries(new FormData(form)) }));
}

giveChoices(form, look);
form.addEventListener("change", look);
form.addEventListener("submit", (event) => event.preventDefault());
showAsked(form);
