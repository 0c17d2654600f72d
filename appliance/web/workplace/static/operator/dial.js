// A click on a number rings the operator's own phone; when the operator answers, the number is called.

import { LinkLost, post } from "./server.js";

const { dial } = document.getElementById("passing").dataset;

export function listenToNumbers({ onTrouble, announce }) {
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("[data-dial]:not(#passing)");
    if (!button || button.disabled) return;
    button.disabled = true;
    try {
      const { dial: subject, reason } = button.dataset;
      const answer = await post(dial, { of: subject, reason });
      if (answer.trouble) announce(answer.trouble);
      document.getElementById("bar").dispatchEvent(new Event("live"));
    } catch (error) {
      if (error instanceof LinkLost) announce(document.getElementById("at-hand").dataset.noLink);
      else onTrouble(error);
    } finally {
      button.disabled = false;
    }
  });
}
