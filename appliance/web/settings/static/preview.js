// The preview of a form: choices, required fields and doubts work as on the operator's form;
// nothing is saved.

import { giveChoices, showAsked, showDoubts } from "./operator/fields.js";
import { post } from "./operator/server.js";

const form = document.getElementById("preview");

let requestCount = 0; // number of requests so far: only the answer to the newest one is shown

async function update() {
  showAsked(form);
  requestCount += 1;
  const requestNumber = requestCount;
  const answer = await post(form.dataset.try, { values: Object.fromEntries(new FormData(form)) });
  if (requestNumber === requestCount) showDoubts(form, answer);
}

giveChoices(form, update);
form.addEventListener("change", update);
form.addEventListener("submit", (event) => event.preventDefault());
showAsked(form);
