// A form as it is tried: choices, what is asked and what is doubtful as at the operator's; nothing
// is kept.

import { giveChoices, showAsked, showDoubts } from "./operator/fields.js";
import { post } from "./operator/server.js";

const form = document.getElementById("preview");

let asked = 0; // questions so far: only the newest one's answer is shown

async function look() {
  showAsked(form);
  asked += 1;
  const question = asked;
  const answer = await post(form.dataset.try, { values: Object.fromEntries(new FormData(form)) });
  if (question === asked) showDoubts(form, answer);
}

giveChoices(form, look);
form.addEventListener("change", look);
form.addEventListener("submit", (event) => event.preventDefault());
showAsked(form);
