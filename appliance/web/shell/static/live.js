// Live sections: told which topic changed, they are fetched anew. How to make one: appliance/web/shell/live.py.
// `data-live="topic …"` hears topics; the event "live" on it makes htmx fetch and morph it.
const GRACE = 2000; // ms: the server closes each stream now and then, and takes it up again at once
const DEAD = 25000; // ms without a sign of life: the server gives one every 10 s
const AGAIN = 3000; // ms between two tries after the browser itself has given up

const address = document.querySelector('meta[name="live"]')?.content;
let stream;
let lost = false;
let heard = Date.now();
let doubt; // timer of the grace

function fetchAnew(topic) {
  for (const section of document.querySelectorAll(topic ? `[data-live~="${topic}"]` : "[data-live]")) {
    section.dispatchEvent(new Event("live"));
  }
}

function show() {
  for (const sign of document.querySelectorAll("[data-link]")) {
    sign.hidden = (sign.dataset.link === "down") !== lost;
  }
}

function alive() {
  heard = Date.now();
  clearTimeout(doubt);
  doubt = undefined;
  if (!lost) return;
  lost = false;
  show();
  fetchAnew();
}

function doubtful() {
  doubt ??= setTimeout(() => {
    lost = true;
    show();
  }, GRACE);
}

function listen() {
  stream?.close();
  heard = Date.now();
  stream = new EventSource(address);
  stream.addEventListener("open", alive);
  stream.addEventListener("beat", alive);
  stream.addEventListener("refresh", () => fetchAnew());
  stream.addEventListener("topic", ({ data }) => {
    alive();
    fetchAnew(data);
  });
  stream.addEventListener("piece", ({ data }) => {
    alive();
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
    doubtful();
    if (stream.readyState === EventSource.CLOSED) tellWhy();
  });
}

// A browser does not say why the stream was refused: perhaps nobody is signed in any more. A session that ended before
// the stream began, or while the link was down, sends no "ended": the page is covered all the same.
async function tellWhy() {
  const { status } = await fetch("/login/token", { cache: "no-store" }).catch(() => ({}));
  if (status === 423) document.dispatchEvent(new Event("locked"));
  if (status !== 204) return;
  document.dispatchEvent(new Event("ended"));
  document.dispatchEvent(new CustomEvent("trouble", { detail: 401 })); // by which the page asks for the next session
}

if (address) {
  listen();
  setInterval(() => {
    const silent = Date.now() - heard > DEAD;
    if (silent) doubtful();
    const refused = stream.readyState === EventSource.CLOSED;
    if (silent || refused) {
      lost ||= silent;
      show();
      listen();
    }
  }, AGAIN);
  addEventListener("pagehide", () => stream.close());
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    lost = true; // what was missed while the page lay in the browser's memory is fetched
    listen();
  });
  document.addEventListener("signed-in", listen);
}
