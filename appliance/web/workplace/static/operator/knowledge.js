// The knowledge base next to the form: articles proposed for the form's direction, search
// results, an article, and a passage of it that is copied into a short message.

import { getPage, LinkLost } from "./server.js";

const WAIT_MILLISECONDS = 120; // without a keystroke
const MAX_PASSAGE_CHARACTERS = 480; // maximum length of a passage, in characters

const panel = document.getElementById("knowledge");
const place = panel.querySelector("[data-place]");
const search = document.getElementById("knowledge-q");
const otherPanels = ["passing", "sms", "aside"].map((id) => document.getElementById(id)); // shown in the same place

let previousFocus = null; // the element that had the focus
let openedFrom = ""; // the article that was opened by a button of the script
let address = ""; // of the list for the open form
let timer = 0;
let listRequest = null; // the current or last search
let requestCount = 0;

export function listenToKnowledge({ onTrouble, announce }) {
  const reportNoLink = () => announce(document.getElementById("at-hand").dataset.noLink);
  const reportError = (error) => (error instanceof LinkLost ? reportNoLink() : onTrouble(error));

  async function show(at) {
    const number = ++requestCount;
    const piece = await getPage(at);
    if (number !== requestCount) return;
    place.innerHTML = piece;
    window.htmx.process(place);
  }

  const list = () => show(search.value.trim() ? `${address}?${new URLSearchParams({ q: search.value })}` : address);

  // Opens the list, or directly the article at an address.
  async function open(about, at = "") {
    if (about !== address || at) search.value = "";
    if (panel.hidden) previousFocus = document.activeElement;
    address = about;
    openedFrom = at;
    await (at ? show(at) : list());
    for (const otherPanel of otherPanels) otherPanel.hidden = true;
    panel.hidden = false;
    (at ? place.querySelector("h3") : search).focus();
  }

  function close() {
    panel.hidden = true;
    // the button may be a new one
    const scriptButton = openedFrom && document.querySelector(`[data-at="${CSS.escape(openedFrom)}"]`);
    (previousFocus?.isConnected ? previousFocus : scriptButton || null)?.focus();
  }

  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-pass], [data-write-sms], [data-aside]")) panel.hidden = true;
    const { knowledge: about, at } = target.closest("[data-knowledge]")?.dataset ?? {};
    if (!about) return;
    if (!panel.hidden && about === address && !at) close();
    else open(about, at).catch(reportError);
  });

  place.addEventListener("click", async ({ target }) => {
    const article = target.closest("[data-article]")?.dataset.article;
    if (article) {
      await show(article).catch(reportError);
      place.querySelector("h3")?.focus();
    } else if (target.closest("[data-back]")) {
      await list().catch(reportError);
      (place.querySelector("[data-article]") ?? search).focus();
    } else if (target.closest("[data-sms-passage]")) {
      writeMessage(target.closest("[data-sms-passage]").dataset.smsPassage);
    } else if (target.closest("[data-useful] button")) {
      for (const button of target.closest("[data-useful]").querySelectorAll("button"))
        button.setAttribute("aria-pressed", String(button === target.closest("button")));
    }
  });

  // Copies the selected text of the article into the message, otherwise its beginning; the
  // message panel shows the length.
  function writeMessage(beginning) {
    const selection = getSelection();
    const isInArticle = selection.rangeCount && place.querySelector(".article")?.contains(selection.anchorNode);
    const text = (isInArticle && selection.toString().trim()) || beginning;
    const button = document.querySelector("[data-write-sms]");
    if (!button) return;
    button.dataset.text = text.slice(0, MAX_PASSAGE_CHARACTERS);
    button.click();
  }

  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = 0;
      listRequest = list().catch(reportError);
    }, WAIT_MILLISECONDS);
  });

  // Opens the first article for the newest text, even if the user types faster than the server answers.
  async function openFirst() {
    if (timer) {
      clearTimeout(timer);
      timer = 0;
      listRequest = list().catch(reportError);
    }
    await listRequest;
    place.querySelector("[data-article]")?.click();
  }

  panel.querySelector("[data-close]").addEventListener("click", close);
  panel.addEventListener("keydown", (event) => {
    const { key } = event;
    if (key === "Escape") close();
    else if (key === "ArrowDown" || key === "ArrowUp") move(key === "ArrowDown" ? 1 : -1);
    else if (key === "Enter" && event.target === search) openFirst();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  // The arrow keys move from the search field through the list.
  function move(step) {
    const stops = [search, ...place.querySelectorAll("[data-article]")];
    const at = stops.indexOf(document.activeElement);
    if (at < 0) return;
    stops[Math.min(Math.max(at + step, 0), stops.length - 1)].focus();
  }
}
