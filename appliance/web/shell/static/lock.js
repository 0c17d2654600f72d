// The cover of a page that nobody sits before: after some minutes without a key or the mouse, by the button, or because
// another page of the same sign-in was locked. The phone and a call go on beneath; the server sends nothing meanwhile
// (web/person/lock.py). Pages of one browser tell each other by its storage.

const cover = document.getElementById("cover");
const SEEN = "last-used"; // when a page of this browser was last used, milliseconds
const LOCKED = "locked"; // the sign-in whose pages are covered in this browser
const USES = ["keydown", "pointerdown", "pointermove", "wheel", "touchstart"];

if (cover) {
  const form = cover.querySelector("[data-uncover]");
  const field = form.elements.password;
  const minutes = Number(cover.dataset.minutes);
  const say = (what) => {
    for (const note of form.querySelectorAll(".note")) note.hidden = !(what in note.dataset);
  };
  const post = (url, body = new FormData()) => {
    const token = document.querySelector('meta[name="csrf-token"]').content;
    const headers = { "X-CSRFToken": token, "X-Cover": "1" };
    return fetch(url, { method: "POST", body, headers, keepalive: true }); // also when the page is left
  };

  const show = (what = "") => {
    say(what);
    if (cover.open) return;
    for (const other of document.querySelectorAll("dialog[open]")) other.close();
    form.reset();
    cover.showModal();
    field.focus();
  };
  const hide = () => {
    if (!cover.open) return;
    cover.close();
    used();
  };
  const lock = async () => {
    show();
    localStorage.setItem(LOCKED, cover.dataset.session);
    await post(cover.dataset.lock).catch(() => {}); // covered it is without a link, too
  };

  let noted = 0;
  const used = () => {
    if (cover.open || Date.now() - noted < 1000) return;
    noted = Date.now();
    localStorage.setItem(SEEN, noted);
  };
  for (const use of USES) addEventListener(use, used, { passive: true, capture: true });
  // The server has served this page: it knows of no lock. Was it told so and not reached?
  if (localStorage.getItem(LOCKED) === cover.dataset.session) lock();
  else localStorage.removeItem(LOCKED);
  used();
  if (minutes) {
    setInterval(() => {
      const last = Number(localStorage.getItem(SEEN)) || 0;
      if (!cover.open && Date.now() - Math.max(last, noted) > minutes * 60_000) lock();
    }, 1000);
  }

  for (const button of document.querySelectorAll("[data-lock-now]")) button.addEventListener("click", lock);
  document.addEventListener("locked", () => show()); // the server says so
  document.addEventListener("signed-in", hide); // its own person is back
  document.addEventListener("ended", () => show("over")); // somebody ended this sign-in
  addEventListener("storage", ({ key, newValue }) => {
    if (key === LOCKED && newValue === cover.dataset.session) show();
    if (key === LOCKED && !newValue) document.dispatchEvent(new Event("uncovered")); // if it is true
  });
  cover.addEventListener("cancel", (event) => event.preventDefault());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { status } = await post(form.action, new FormData(form)).catch(() => ({ status: 0 }));
    form.reset();
    field.focus();
    if (status === 204) {
      localStorage.removeItem(LOCKED);
      document.dispatchEvent(new Event("uncovered"));
    } else if (status) say([400, 401].includes(status) ? "over" : "wrong");
  });
}

// The page that the server shows instead of a locked one: it knows, and uncovers.
if (!cover && document.querySelector("[data-uncover]")) localStorage.removeItem(LOCKED);
