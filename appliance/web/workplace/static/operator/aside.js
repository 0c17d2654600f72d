// The panel for a note on the number or a promised call: its form is fetched, kept with what is typed when it is
// closed, and no part of the form on the desk.

import { getPage, LinkLost, post } from "./server.js";

const panel = document.getElementById("aside");
const place = panel.querySelector("[data-place]");
const others = ["passing", "sms"].map((id) => document.getElementById(id)); // stand in the same place
const kept = new Map(); // address → the form that was begun there

let before = null; // what had the focus
let busy = false;

export function listenToAside({ onTrouble, tell }) {
  const noLink = () => tell(document.getElementById("at-hand").dataset.noLink);
  const fail = (error) => (error instanceof LinkLost ? noLink() : onTrouble(error));

  async function open(address) {
    if (!kept.has(address)) {
      const piece = document.createElement("template");
      piece.innerHTML = await getPage(address);
      kept.set(address, piece.content.querySelector("form"));
    }
    const form = kept.get(address);
    if (panel.hidden) before = document.activeElement;
    place.replaceChildren(form);
    document.getElementById("aside-title").textContent = form.dataset.title;
    panel.dataset.about = address;
    for (const other of others) other.hidden = true;
    panel.hidden = false;
    form.querySelector("input:not([type=hidden]), textarea").focus();
  }

  function close() {
    panel.hidden = true;
    if (before?.isConnected) before.focus();
  }

  document.addEventListener("click", async ({ target }) => {
    if (target.closest("[data-pass], [data-write-sms], [data-knowledge]")) panel.hidden = true;
    const asked = target.closest("[data-aside]")?.dataset.aside;
    if (!asked) return;
    if (!panel.hidden && panel.dataset.about === asked) return close();
    await open(asked).catch(fail);
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
    if (busy) return;
    busy = true;
    const form = event.target;
    try {
      const values = Object.fromEntries(new FormData(form, event.submitter));
      const answer = await post(form.getAttribute("action"), values);
      form.querySelector("[data-trouble-here]").textContent = answer.trouble;
      if (answer.trouble) return form.querySelector("input:not([type=hidden]), textarea").focus();
      kept.delete(panel.dataset.about);
      close();
      tell(answer.done);
      for (const id of form.dataset.renews.split(" ")) document.getElementById(id)?.dispatchEvent(new Event("live"));
    } catch (error) {
      fail(error);
    } finally {
      busy = false;
    }
  });
}
