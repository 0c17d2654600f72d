// The panel in which the operator writes a short message: fetched for what lies on the desk, kept with what is typed
// when it is closed, and no part of the form.

import { enhance, say, valuesOf } from "../sms.js";
import { getPage, LinkLost, post } from "./server.js";

const panel = document.getElementById("sms");
const passing = document.getElementById("passing"); // stands in the same place
const place = panel.querySelector("[data-place]");
const kept = new Map(); // address → the form that was begun there

let before = null; // what had the focus
let busy = false;

export function listenToMessages({ onTrouble, tell }) {
  const noLink = () => tell(document.getElementById("at-hand").dataset.noLink);
  const fail = (error) => (error instanceof LinkLost ? noLink() : onTrouble(error));

  async function open(address, text = "") {
    if (!kept.has(address)) {
      const piece = document.createElement("template");
      piece.innerHTML = await getPage(address);
      const form = piece.content.querySelector("form");
      enhance(form);
      kept.set(address, form);
    }
    if (panel.hidden) before = document.activeElement;
    place.replaceChildren(kept.get(address));
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
    if (before?.isConnected) before.focus();
  }

  document.addEventListener("click", async ({ target }) => {
    if (target.closest("[data-pass], [data-knowledge]")) panel.hidden = true;
    const button = target.closest("[data-write-sms]");
    if (!button) return;
    const { writeSms: asked, text } = button.dataset;
    delete button.dataset.text; // a passage of an article, once
    if (!text && !panel.hidden && panel.dataset.about === asked) return close();
    await open(asked, text).catch(fail);
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
      const answer = await post(form.getAttribute("action"), valuesOf(form));
      say(form, answer.trouble);
      if (answer.trouble) return form.elements.sms.focus();
      for (const [address, one] of kept) if (one === form) kept.delete(address);
      close();
      tell(answer.done);
      document.getElementById("sms-list")?.dispatchEvent(new Event("live"));
    } catch (error) {
      fail(error);
    } finally {
      busy = false;
    }
  });
}
