// The top of every operator page: the current call and the operator's state; the page's title
// announces the call. Forms are handled by page.js.

import { listenToAside } from "./aside.js";
import { listenToNumbers } from "./dial.js";
import { listenToKnowledge } from "./knowledge.js";
import { LinkLost, post, SessionOver } from "./server.js";
import { listenToMessages } from "./sms.js";
import { listenToState } from "./states.js";
import { listenToTransfers, updateMode } from "./transfers.js";

export const atHand = document.getElementById("at-hand");
export const bar = () => document.getElementById("bar");

const { title } = document;

// Shows an HTTP status of the server in the page's banners; null hides them (static/app.js).
export const showStatus = (status) => document.dispatchEvent(new CustomEvent("trouble", { detail: status }));

export function reportError(error) {
  if (error instanceof LinkLost) toast(atHand.dataset.noLink);
  else if (error instanceof SessionOver) showStatus(401);
  else showStatus(error.message);
}

function toast(text) {
  const box = document.createElement("p");
  box.className = "toast";
  box.append(text);
  document.getElementById("toasts").append(box);
  setTimeout(() => box.remove(), 6000);
}

// Calls `changed` whenever something in the bar has changed.
export function watch(changed) {
  new MutationObserver(changed).observe(atHand, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ["data-form", "data-stage", "data-line", "data-title", "data-said", "hidden"],
  });
}

// Announces a ringing call to screen readers at once. The element always exists: a screen
// reader ignores a live region that is inserted together with its text.
function announceRing() {
  const announcement = document.getElementById("said");
  const text = bar().dataset.said ?? "";
  if (announcement.textContent !== text) announcement.textContent = text;
}

function showTitle() {
  const text = [bar().dataset.title, title].filter(Boolean).join(" · ");
  if (document.title !== text) document.title = text;
}

// ── buttons that send a request to the server: the state, hanging up ──

document.addEventListener("submit", async (event) => {
  const { act } = event.target.dataset;
  if (!act) return;
  event.preventDefault();
  const values = Object.fromEntries(new FormData(event.target, event.submitter));
  event.target.closest("details")?.removeAttribute("open");
  try {
    const answer = await post(act, values);
    bar().dispatchEvent(new Event("live")); // the line may have changed already
    if (answer.trouble) toast(answer.trouble);
  } catch (error) {
    reportError(error);
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
listenToTransfers({ onTrouble: reportError });
listenToMessages({ onTrouble: reportError, announce: toast });
listenToNumbers({ onTrouble: reportError, announce: toast });
listenToAside({ onTrouble: reportError, announce: toast });
listenToKnowledge({ onTrouble: reportError, announce: toast });
showTitle();
announceRing();
watch(() => {
  updateMode();
  announceRing();
  showTitle();
});
