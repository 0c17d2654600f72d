// Behaviour of every page. There are no inline scripts: data attributes attach behaviour to elements.
//   data-reveal="id"   a button that shows and hides a password
//   data-caps-lock     shown while Caps Lock is on in a password field
//   data-since         a <time> that counts up from its datetime; a <meter> that fills from that time on
//   data-until         a <time> that counts down to its datetime; then its live section is fetched again
//   data-limited       contains such a meter; data-over while the meter is full
//   data-print         a button that prints the page
//   data-file-of="id"  lists the files chosen in that field; limits in bytes: data-most per file, data-together in total
//   data-toast         disappears after six seconds
import "./commands.js";
import "./live.js";
import "./lock.js";
import "./papers.js";
import "./pieces.js";
import "./scrolling.js";
import "./sheet.js";
import { formToken, renewToken } from "./token.js";

const $$ = (selector) => document.querySelectorAll(selector);
const meta = (name) => document.querySelector(`meta[name="${name}"]`);

// ── htmx requests: protected against forgery; failures are reported ──
document.addEventListener("htmx:config:request", ({ detail }) => {
  detail.ctx.request.headers["X-CSRFToken"] = formToken();
  detail.ctx.startedAt = performance.now();
});
document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  trackFailure(ctx.response.status, ctx.sourceElement, ctx.startedAt);
});
// requests made by our own scripts
document.addEventListener("trouble", ({ detail }) => trackFailure(detail ?? 200, document));

// An error is over when the source that failed succeeds. Being signed out is over when the page has the token of
// the next session: any request that succeeds and started after the failure shows that there is one. An earlier
// request may have passed before the session ended.
let failure;
function trackFailure(status, source, startedAt = performance.now()) {
  if (status >= 400) {
    failure = { status, source, at: performance.now() };
    showBanner(status);
    if (status === 400 || status === 401) renewToken();
  } else if (failure?.status === 401) {
    if (startedAt > failure.at) renewToken();
  } else if (failure?.source === source) endFailure();
}

function endFailure() {
  failure = undefined;
  showBanner();
}
document.addEventListener("signed-in", () => failure?.status === 401 && endFailure());

function showBanner(status) {
  const kind = status === undefined ? "" : [401, 413].includes(status) ? `${status}` : "other";
  for (const banner of $$("[data-trouble]")) banner.hidden = banner.dataset.trouble !== kind;
  for (const code of $$("[data-trouble-code]")) code.textContent = status ?? "";
}

document.addEventListener("uncovered", renewToken);
addEventListener("focus", () => {
  if (document.querySelector("[data-trouble='401']:not([hidden])")) renewToken();
});

// ── fields: replaces the browser's messages, which are in the browser's language ──
document.addEventListener(
  "invalid",
  ({ target }) => {
    if (target.validity.valueMissing) target.setCustomValidity(meta("field-empty").content);
    else if (target.validity.tooShort) target.setCustomValidity(meta("field-short").content);
  },
  true,
);
for (const kind of ["input", "change"]) document.addEventListener(kind, ({ target }) => target.setCustomValidity?.(""));
document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-reveal]");
  if (!button) return;
  const field = document.getElementById(button.dataset.reveal);
  const isPassword = field.type === "password";
  field.type = isPassword ? "text" : "password";
  button.setAttribute("aria-pressed", isPassword);
  field.focus();
});
document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-print]")) print();
});
document.addEventListener("keyup", (event) => {
  if (event.target.type !== "password" || !event.getModifierState) return;
  for (const hint of $$("[data-caps-lock]")) hint.hidden = !event.getModifierState("CapsLock");
});

// ── timers: by the server's clock, from which this computer's may differ by minutes ──
const clockOffset = Date.parse(meta("now").content) - Date.now();
const serverAhead = Math.abs(clockOffset) > 2000 ? clockOffset : 0;
const secondsSince = (moment) => Math.max(0, (Date.now() + serverAhead - Date.parse(moment)) / 1000);

// Fetches a section that is valid until a time again once that time has passed.
function refetchSection(time) {
  delete time.dataset.until;
  setTimeout(() => time.closest("[data-live]")?.dispatchEvent(new Event("live")), 1000);
}

function tick() {
  for (const meter of $$("meter[data-since]")) {
    const seconds = secondsSince(meter.dataset.since);
    meter.value = seconds;
    meter.closest("[data-limited]")?.toggleAttribute("data-over", seconds >= meter.max);
  }
  for (const time of $$("time[data-since], time[data-until]")) {
    const elapsedSeconds = secondsSince(time.dateTime);
    const remainingSeconds = Math.max(0, (Date.parse(time.dateTime) - Date.now() - serverAhead) / 1000);
    const seconds = "until" in time.dataset ? Math.ceil(remainingSeconds) : Math.floor(elapsedSeconds);
    if (!seconds && "until" in time.dataset) refetchSection(time);
    const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    const twoDigits = (n) => String(n).padStart(2, "0");
    const text = h ? `${h}:${twoDigits(m)}:${twoDigits(s)}` : `${m}:${twoDigits(s)}`;
    if (time.textContent !== text) time.textContent = text;
  }
}
setInterval(tick, 1000);
document.addEventListener("change", ({ target }) => {
  const place = target.type === "file" && document.querySelector(`[data-file-of="${target.id}"]`);
  if (!place) return;
  const { most, together } = target.dataset;
  const hint = document.getElementById(target.getAttribute("aria-describedby").split(" ").at(-1));
  const sizes = [...target.files].map(({ size }) => size);
  const tooMuch = sizes.some((size) => size > most) || sizes.reduce((all, size) => all + size, 0) > together;
  target.setCustomValidity(tooMuch ? hint.textContent : "");
  target.reportValidity();
  place.dataset.none ??= place.textContent;
  place.textContent = [...target.files].map((file) => file.name).join(", ") || place.dataset.none;
});

for (const toast of $$("[data-toast]")) setTimeout(() => toast.remove(), 6000);
