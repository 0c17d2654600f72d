// The cover of an unattended page: after some minutes without a key or the mouse, by the
// button, or because another page of the same sign-in was locked. The phone and a call continue
// underneath; the server sends nothing while the page is locked (web/person/lock.py). Pages of
// one browser notify each other by its storage.

import { formToken } from "./token.js";

const cover = document.getElementById("cover");
const LAST_USED_KEY = "last-used"; // when a page of this browser was last used, in milliseconds
const LOCKED_KEY = "locked"; // the sign-in whose pages are covered in this browser
const ACTIVITY_EVENTS = ["keydown", "pointerdown", "pointermove", "wheel", "touchstart"];

if (cover) {
  const form = cover.querySelector("[data-uncover]");
  const field = form.elements.password;
  const minutes = Number(cover.dataset.minutes);
  const showNote = (what) => {
    for (const note of form.querySelectorAll(".note")) note.hidden = !(what in note.dataset);
  };
  const post = (url, body = new FormData()) => {
    const headers = { "X-CSRFToken": formToken(), "X-Cover": "1" };
    return fetch(url, { method: "POST", body, headers, keepalive: true }); // also when the page is left
  };

  const show = (what = "") => {
    showNote(what);
    if (cover.open) return;
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
    form.reset();
    cover.showModal();
    field.focus();
  };
  const hide = () => {
    if (!cover.open) return;
    cover.close();
    noteActivity();
  };
  const lock = async () => {
    show();
    localStorage.setItem(LOCKED_KEY, cover.dataset.session);
    await post(cover.dataset.lock).catch(() => {}); // it is covered even without a connection
  };

  let lastActivity = 0;
  const noteActivity = () => {
    if (cover.open || Date.now() - lastActivity < 1000) return;
    lastActivity = Date.now();
    localStorage.setItem(LAST_USED_KEY, lastActivity);
  };
  for (const event of ACTIVITY_EVENTS) addEventListener(event, noteActivity, { passive: true, capture: true });
  // The server has served this page, so it has no lock on record. Was a lock requested that
  // never reached it?
  if (localStorage.getItem(LOCKED_KEY) === cover.dataset.session) lock();
  else localStorage.removeItem(LOCKED_KEY);
  noteActivity();
  if (minutes) {
    setInterval(() => {
      const lastUsed = Number(localStorage.getItem(LAST_USED_KEY)) || 0;
      if (!cover.open && Date.now() - Math.max(lastUsed, lastActivity) > minutes * 60_000) lock();
    }, 1000);
  }

  for (const button of document.querySelectorAll("[data-lock-now]")) button.addEventListener("click", lock);
  document.addEventListener("locked", () => show()); // the server says so
  document.addEventListener("signed-in", hide); // the same user is back
  document.addEventListener("ended", () => show("over")); // somebody ended this sign-in
  addEventListener("storage", ({ key, newValue }) => {
    if (key === LOCKED_KEY && newValue === cover.dataset.session) show();
    if (key === LOCKED_KEY && !newValue) document.dispatchEvent(new Event("uncovered")); // if that is correct
  });
  cover.addEventListener("cancel", (event) => event.preventDefault());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { status } = await post(form.action, new FormData(form)).catch(() => ({ status: 0 }));
    form.reset();
    field.focus();
    if (status === 204) {
      localStorage.removeItem(LOCKED_KEY);
      document.dispatchEvent(new Event("uncovered"));
    } else if (status) showNote([400, 401].includes(status) ? "over" : "wrong");
  });
}

// The page that the server shows instead of a locked one: the server has the lock on record and
// removes it.
if (!cover && document.querySelector("[data-uncover]")) localStorage.removeItem(LOCKED_KEY);
