// The sheet of shortcut keys: ? or F1. Actions that are not available now are shown faintly.

import { act, actionFor, letLettersAct, lettersAct } from "./keys.js";
import { lightDialog } from "./light.js";

const sheet = document.getElementById("shortcuts");

if (sheet) {
  const toggle = lightDialog(sheet);
  act("sheet", () => {
    for (const row of sheet.querySelectorAll("[data-action]:not([data-told])")) {
      const isAvailable = actionFor(row) !== null;
      row.toggleAttribute("data-off", !isAvailable);
      row.querySelector("[data-not-now]").hidden = isAvailable;
    }
    toggle(sheet.querySelector("h2"));
  });
  const letters = sheet.querySelector("[data-letters]");
  letters.checked = lettersAct();
  letters.addEventListener("change", () => letLettersAct(letters.checked));
  for (const button of document.querySelectorAll("[data-close-sheet]")) {
    button.addEventListener("click", () => sheet.close());
  }
}
