// The panel in which the operator writes a short message. It is fetched for the open card,
// keeps the typed text when it is closed, and is no part of the form.

import { enhance, showTrouble, valuesOf } from "../sms.js";
import { getPage, LinkLost, post } from "./server.js";

const panel = document.getElementById("sms");
const passing = document.getElementById("passing"); // shown in the same place
const place = panel.querySelector("[data-place]");
const formsByAddress = new Map(); // address → the form that was opened there

let previousFocus = null; // the element that had the focus
let isBusy = false;

export function listenToMessages({ onTrouble, announce }) {
  const reportNoLink = () => announce(document.getElementById("at-hand").dataset.noLink);
  const reportError = (error) => (error instanceof LinkLost ? reportNoLink() : onTrouble(error));

  async function open(address, text = "") {
    if (!formsByAddress.has(address)) {
      const piece = document.createElement("template");
      piece.innerHTML = await getPage(address);
      const form = piece.content.querySelector("form");
      enhance(form);
      formsByAddress.set(address, form);
    }
    if (panel.hidden) previousFocus = document.activeElement;
    place.replaceChildren(formsByAddress.get(address));
    panel.dataset.about = address;
    passing.hidden = true;
    panel.hidden = false;
    const field = place.querySelector("textarea");
    if (!text) return (place.querySelector("select") ?? field).focus();
    field.value = [field.value.trim(), text].filter(Boolean).join(" ");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  }

  function close() {
    panel.hidden = true;
    if (previousFocus?.isConnected) previousFocus.focus();
  }

  document.addEventListener("click", async ({ target }) => {
    if (target.closest("[data-pass], [data-knowledge]")) panel.hidden = true;
    const button = target.closest("[data-write-sms]");
    if (!button) return;
    const { writeSms: address, text } = button.dataset;
    delete button.dataset.text; // a passage of an article is used once
    if (!text && !panel.hidden && panel.dataset.about === address) return close();
    await open(address, text).catch(reportError);
  });
  panel.querySelector("[data-close]").addEventListener("click", close);
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    close();
  });
  place.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    const form = event.target;
    try {
      const answer = await post(form.getAttribute("action"), valuesOf(form));
      showTrouble(form, answer.trouble);
      if (answer.trouble) return form.elements.sms.focus();
      for (const [address, storedForm] of formsByAddress) if (storedForm === form) formsByAddress.delete(address);
      close();
      announce(answer.done);
      document.getElementById("sms-list")?.dispatchEvent(new Event("live"));
    } catch (error) {
      reportError(error);
    } finally {
      isBusy = false;
    }
  });
}
