// The knowledge base beside the form: what its direction proposes, what a search finds, an article, and a passage of it
// that goes into a short message.

import { getPage, LinkLost } from "./server.js";

const WAIT = 120; // milliseconds without a key
const LONGEST = 480; // letters of a passage

const panel = document.getElementById("knowledge");
const place = panel.querySelector("[data-place]");
const search = document.getElementById("knowledge-q");
const others = ["passing", "sms", "aside"].map((id) => document.getElementById(id)); // stand in the same place

let before = null; // what had the focus
let from = ""; // the article that a button of the script has opened
let address = ""; // of the list for the form on the desk
let timer = 0;
let listed = null; // the search under way, or done
let asked = 0;

export function listenToKnowledge({ onTrouble, tell }) {
  const noLink = () => tell(document.getElementById("at-hand").dataset.noLink);
  const fail = (error) => (error instanceof LinkLost ? noLink() : onTrouble(error));

  async function show(at) {
    const number = ++asked;
    const piece = await getPage(at);
    if (number !== asked) return;
    place.innerHTML = piece;
    window.htmx.process(place);
  }

  const list = () => show(search.value.trim() ? `${address}?${new URLSearchParams({ q: search.value })}` : address);

  // The list, or at once the article at an address.
  async function open(about, at = "") {
    if (about !== address || at) search.value = "";
    if (panel.hidden) before = document.activeElement;
    address = about;
    from = at;
    await (at ? show(at) : list());
    for (const other of others) other.hidden = true;
    panel.hidden = false;
    (at ? place.querySelector("h3") : search).focus();
  }

  function close() {
    panel.hidden = true;
    const again = from && document.querySelector(`[data-at="${CSS.escape(from)}"]`); // the script may be drawn anew
    (before?.isConnected ? before : again || null)?.focus();
  }

  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-pass], [data-write-sms], [data-aside]")) panel.hidden = true;
    const { knowledge: about, at } = target.closest("[data-knowledge]")?.dataset ?? {};
    if (!about) return;
    if (!panel.hidden && about === address && !at) close();
    else open(about, at).catch(fail);
  });

  place.addEventListener("click", async ({ target }) => {
    const article = target.closest("[data-article]")?.dataset.article;
    if (article) {
      await show(article).catch(fail);
      place.querySelector("h3")?.focus();
    } else if (target.closest("[data-back]")) {
      await list().catch(fail);
      (place.querySelector("[data-article]") ?? search).focus();
    } else if (target.closest("[data-sms-passage]")) {
      send(target.closest("[data-sms-passage]").dataset.smsPassage);
    } else if (target.closest("[data-useful] button")) {
      for (const button of target.closest("[data-useful]").querySelectorAll("button"))
        button.setAttribute("aria-pressed", String(button === target.closest("button")));
    }
  });

  // What is marked in the article goes into the message, else the beginning; its panel says how long it is.
  function send(beginning) {
    const marked = getSelection();
    const inside = marked.rangeCount && place.querySelector(".article")?.contains(marked.anchorNode);
    const text = (inside && marked.toString().trim()) || beginning;
    const button = document.querySelector("[data-write-sms]");
    if (!button) return;
    button.dataset.text = text.slice(0, LONGEST);
    button.click();
  }

  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = 0;
      listed = list().catch(fail);
    }, WAIT);
  });

  // The first article of what was typed last: who types faster than the server answers means that.
  async function openFirst() {
    if (timer) {
      clearTimeout(timer);
      timer = 0;
      listed = list().catch(fail);
    }
    await listed;
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

  // The arrow keys go from the search through the list.
  function move(step) {
    const stops = [search, ...place.querySelectorAll("[data-article]")];
    const at = stops.indexOf(document.activeElement);
    if (at < 0) return;
    stops[Math.min(Math.max(at + step, 0), stops.length - 1)].focus();
  }
}
