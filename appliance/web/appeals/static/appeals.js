// The ministry's pages: choosing a filter shows its list; keys of the list and of the answer.
//   data-choose   a field of the filters that sends them when it changes
import { save } from "./answer_drafts.js";
import "./in_place.js";
import { act } from "./keys.js";

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-choose]")) target.form.requestSubmit();
});

const links = () => [...document.querySelectorAll("#appeals .rowlink, .lookup .rowlink")];
const inbox = () => document.querySelector(".inbox");

// Gives the focus to the row `by` places away from the one that has it; in the inbox its card is
// opened beside the list.
async function move(by) {
  const all = links();
  if (!all.length) return;
  const open = all.findIndex((link) => link.matches("[aria-current]"));
  const focused = all.indexOf(document.activeElement);
  const at = inbox() && open >= 0 ? open : focused;
  const next = Math.min(Math.max(at + by, 0), all.length - 1);
  all[next].focus({ preventScroll: Boolean(inbox()) });
  if (!inbox() || next === open) return;
  await save(); // what was typed on the card that is left
  all[next].click();
}

// The open row is in sight.
const openRow = document.querySelector(".rows [aria-current]");
if (openRow)
  openRow.closest(".panel").scrollTop = openRow.parentElement.offsetTop - openRow.closest(".panel").clientHeight / 2;

// Ten seconds in which an answer can be taken back.
const undo = document.querySelector("[data-undo]");
if (undo) {
  const until = Date.now() + 1000 * Number(undo.dataset.undo);
  undo.dataset.ready = "";
  const timer = setInterval(() => {
    const left = Math.ceil((until - Date.now()) / 1000);
    undo.querySelector("[data-left]").textContent = Math.max(left, 0);
    if (left > 0) return;
    clearInterval(timer);
    undo.remove();
  }, 250);
}

act("next_row", () => move(1));
act("previous_row", () => move(-1));
document.addEventListener("keydown", ({ code, target }) => {
  const typing = target.matches("input:not([type=radio], [type=checkbox]), textarea, select");
  if (typing && code === "Escape") target.blur();
});
