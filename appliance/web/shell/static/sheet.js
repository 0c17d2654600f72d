// The sheet of keys: ? or F1. What cannot be done at the moment stands there faintly.

import { act, doing, letLettersAct, lettersAct } from "./keys.js";
import { lightDialog } from "./light.js";

const sheet = document.getElementById("shortcuts");

if (sheet) {
  const toggle = lightDialog(sheet);
  act("sheet", () => {
    for (const row of sheet.querySelectorAll("[data-action]:not([data-told])")) {
      const now = doing(row) !== null;
      row.toggleAttribute("data-off", !now);
      row.querySelector("[data-not-now]").hidden = now;
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
