// Live sections: when the server reports that a topic changed, the sections that depend on it
// are fetched again. How to make one: appliance/web/shell/live.py. `data-live="topic …"`
// subscribes to topics; the event "live" on the element makes htmx fetch and morph it.
const GRACE_MILLISECONDS = 2000; // the server closes each stream now and then, and the page reconnects at once
const SILENCE_MILLISECONDS = 25000; // without a sign of life: the server sends one every 10 s
const RETRY_MILLISECONDS = 3000; // between two attempts after the browser itself has given up

const address = document.querySelector('meta[name="live"]')?.content;
let stream;
let isDown = false;
let lastSignAt = Date.now();
let graceTimer; // timer of the grace period

function refetchSections(topic) {
  for (const section of document.querySelectorAll(topic ? `[data-live~="${topic}"]` : "[data-live]")) {
    section.dispatchEvent(new Event("live"));
  }
}

function showConnection() {
  for (const sign of document.querySelectorAll("[data-link]")) {
    sign.hidden = (sign.dataset.link === "down") !== isDown;
  }
}

function noteSign() {
  lastSignAt = Date.now();
  clearTimeout(graceTimer);
  graceTimer = undefined;
  if (!isDown) return;
  isDown = false;
  showConnection();
  refetchSections();
}

function startGrace() {
  graceTimer ??= setTimeout(() => {
    isDown = true;
    showConnection();
  }, GRACE_MILLISECONDS);
}

function listen() {
  stream?.close();
  lastSignAt = Date.now();
  stream = new EventSource(address);
  stream.addEventListener("open", noteSign);
  stream.addEventListener("beat", noteSign);
  stream.addEventListener("refresh", () => refetchSections());
  stream.addEventListener("topic", ({ data }) => {
    noteSign();
    refetchSections(data);
  });
  stream.addEventListener("piece", ({ data }) => {
    noteSign();
    const { at, piece } = JSON.parse(data);
    document.dispatchEvent(new CustomEvent("told", { detail: { at, piece } }));
    for (const section of document.querySelectorAll(`[data-live][hx-get="${at}"]`)) {
      section.dispatchEvent(new Event("live"));
    }
  });
  stream.addEventListener("ended", () => {
    stream.close();
    document.dispatchEvent(new Event("ended"));
  });
  stream.addEventListener("error", () => {
    startGrace();
    if (stream.readyState === EventSource.CLOSED) reportReason();
  });
}

// A browser does not say why the stream was refused: the user may be signed out. A session that
// ended before the stream began, or while the connection was down, sends no "ended": the page
// is covered all the same.
async function reportReason() {
  const { status } = await fetch("/login/token", { cache: "no-store" }).catch(() => ({}));
  if (status === 423) document.dispatchEvent(new Event("locked"));
  if (status !== 204) return;
  document.dispatchEvent(new Event("ended"));
  document.dispatchEvent(new CustomEvent("trouble", { detail: 401 })); // by which the page asks for the next session
}

if (address) {
  listen();
  setInterval(() => {
    const isSilent = Date.now() - lastSignAt > SILENCE_MILLISECONDS;
    if (isSilent) startGrace();
    const isClosed = stream.readyState === EventSource.CLOSED;
    if (isSilent || isClosed) {
      isDown ||= isSilent;
      showConnection();
      listen();
    }
  }, RETRY_MILLISECONDS);
  addEventListener("pagehide", () => stream.close());
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    isDown = true; // fetches the changes that were missed while the page was in the browser's back-forward cache
    listen();
  });
  document.addEventListener("signed-in", listen);
}
