// On top of every page of an operator: the call at hand, his state; the page's title tells of
// the call. What happens to forms is page.js's.

import { listenToAside } from "./aside.js";
import { listenToNumbers } from "./dial.js";
import { listenToKnowledge } from "./knowledge.js";
import { LinkLost, post, SessionOver } from "./server.js";
import { listenToMessages } from "./sms.js";
import { listenToState } from "./states.js";
import { lineChanged, listenToTransfers } from "./transfers.js";

export const atHand = document.getElementById("at-hand");
export const bar = () => document.getElementById("bar");

const { title } = document;

// The page's banners show a status of the server; null takes them away (static/app.js).
export const trouble = (status) => document.dispatchEvent(new CustomEvent("trouble", { detail: status }));

export function failed(error) {
  if (error instanceof LinkLost) toast(atHand.dataset.noLink);
  else if (error instanceof SessionOver) trouble(401);
  else trouble(error.message);
}

function toast(text) {
  const box = document.createElement("p");
  box.className = "toast";
  box.append(text);
  document.getElementById("toasts").append(box);
  setTimeout(() => box.remove(), 6000);
}

// Calls back whenever something in the bar has changed.
export function watch(changed) {
  new MutationObserver(changed).observe(atHand, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ["data-form", "data-stage", "data-line", "data-title", "data-said", "hidden"],
  });
}

// Who listens to the page is told at once that a call rings. The place is always there: a screen reader
// passes over one that comes with its words in it.
function tellRing() {
  const said = document.getElementById("said");
  const text = bar().dataset.said ?? "";
  if (said.textContent !== text) said.textContent = text;
}

function showTitle() {
  const text = [bar().dataset.title, title].filter(Boolean).join(" · ");
  if (document.title !== text) document.title = text;
}

// ── buttons that ask the server for something: the state, hanging up ──

document.addEventListener("submit", async (event) => {
  const { act } = event.target.dataset;
  if (!act) return;
  event.preventDefault();
  const values = Object.fromEntries(new FormData(event.target, event.submitter));
  event.target.closest("details")?.removeAttribute("open");
  try {
    const answer = await post(act, values);
    bar().dispatchEvent(new Event("live")); // the line may tell at once
    if (answer.trouble) toast(answer.trouble);
  } catch (error) {
    failed(error);
  }
});

document.addEventListener("pointerdown", ({ target }) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = menu.contains(target);
});
document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
});

listenToState();
listenToTransfers({ onTrouble: failed });
listenToMessages({ onTrouble: failed, tell: toast });
listenToNumbers({ onTrouble: failed, tell: toast });
listenToAside({ onTrouble: failed, tell: toast });
listenToKnowledge({ onTrouble: failed, tell: toast });
showTitle();
tellRing();
watch(() => {
  lineChanged();
  tellRing();
  showTitle();
});
