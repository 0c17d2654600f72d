// The ministry's pages: choosing a filter applies it; keys of the list and of the answer.
//   data-choose   a filter field that submits the filters when it changes
import { save } from "./answer_drafts.js";
import "./in_place.js";
import { act } from "./keys.js";

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-choose]")) target.form.requestSubmit();
});

const links = () => [...document.querySelectorAll("#appeals .rowlink, .lookup .rowlink")];
const inbox = () => document.querySelector(".inbox");

// Moves the focus by `by` rows from the focused row; in the inbox, opens that row's card next
// to the list.
async function move(by) {
  const rows = links();
  if (!rows.length) return;
  const open = rows.findIndex((link) => link.matches("[aria-current]"));
  const focused = rows.indexOf(document.activeElement);
  const index = inbox() && open >= 0 ? open : focused;
  const nextIndex = Math.min(Math.max(index + by, 0), rows.length - 1);
  rows[nextIndex].focus({ preventScroll: Boolean(inbox()) });
  if (!inbox() || nextIndex === open) return;
  await save(); // text typed on the card that is being left
  rows[nextIndex].click();
}

// Scrolls the open row into view.
const openRow = document.querySelector(".rows [aria-current]");
if (openRow)
  openRow.closest(".panel").scrollTop = openRow.parentElement.offsetTop - openRow.closest(".panel").clientHeight / 2;

// An answer can be taken back for ten seconds.
const undo = document.querySelector("[data-undo]");
if (undo) {
  const until = Date.now() + 1000 * Number(undo.dataset.undo);
  undo.dataset.ready = "";
  const timer = setInterval(() => {
    const remainingSeconds = Math.ceil((until - Date.now()) / 1000);
    undo.querySelector("[data-left]").textContent = Math.max(remainingSeconds, 0);
    if (remainingSeconds > 0) return;
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
