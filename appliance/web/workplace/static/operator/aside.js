// The panel for a note on the number or a promised call. Its form is fetched, keeps the typed
// values when it is closed, and is no part of the open form.

import { getPage, LinkLost, post } from "./server.js";

const panel = document.getElementById("aside");
const place = panel.querySelector("[data-place]");
const otherPanels = ["passing", "sms"].map((id) => document.getElementById(id)); // shown in the same place
const formsByAddress = new Map(); // address → the form that was opened there

let previousFocus = null; // the element that had the focus
let isBusy = false;

export function listenToAside({ onTrouble, announce }) {
  const reportNoLink = () => announce(document.getElementById("at-hand").dataset.noLink);
  const reportError = (error) => (error instanceof LinkLost ? reportNoLink() : onTrouble(error));

  async function open(address) {
    if (!formsByAddress.has(address)) {
      const piece = document.createElement("template");
      piece.innerHTML = await getPage(address);
      formsByAddress.set(address, piece.content.querySelector("form"));
    }
    const form = formsByAddress.get(address);
    if (panel.hidden) previousFocus = document.activeElement;
    place.replaceChildren(form);
    document.getElementById("aside-title").textContent = form.dataset.title;
    panel.dataset.about = address;
    for (const otherPanel of otherPanels) otherPanel.hidden = true;
    panel.hidden = false;
    form.querySelector("input:not([type=hidden]), textarea").focus();
  }

  function close() {
    panel.hidden = true;
    if (previousFocus?.isConnected) previousFocus.focus();
  }

  document.addEventListener("click", async ({ target }) => {
    if (target.closest("[data-pass], [data-write-sms], [data-knowledge]")) panel.hidden = true;
    const address = target.closest("[data-aside]")?.dataset.aside;
    if (!address) return;
    if (!panel.hidden && panel.dataset.about === address) return close();
    await open(address).catch(reportError);
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
      const values = Object.fromEntries(new FormData(form, event.submitter));
      const answer = await post(form.getAttribute("action"), values);
      form.querySelector("[data-trouble-here]").textContent = answer.trouble;
      if (answer.trouble) return form.querySelector("input:not([type=hidden]), textarea").focus();
      formsByAddress.delete(panel.dataset.about);
      close();
      announce(answer.done);
      for (const id of form.dataset.renews.split(" ")) document.getElementById(id)?.dispatchEvent(new Event("live"));
    } catch (error) {
      reportError(error);
    } finally {
      isBusy = false;
    }
  });
}
