// What every page does by itself. No inline script anywhere: behaviour hangs on data attributes.
//   data-reveal="id"   a button that shows and hides a password
//   data-caps-lock     shown while Caps Lock is on in a password field
//   data-since         a <time> that counts up from its datetime; a <meter> that fills from that moment
//   data-until         a <time> that counts down to its datetime; then its live section is fetched anew
//   data-limited       holds such a meter; data-over while it is full
//   data-print         a button that prints the page
//   data-file-of="id"  names the files chosen in that field; refuses one of over data-most bytes, all of data-together
//   data-toast         leaves after six seconds
import "./commands.js";
import "./live.js";
import "./lock.js";
import "./papers.js";
import "./pieces.js";
import "./scrolling.js";
import "./sheet.js";

const $$ = (selector) => document.querySelectorAll(selector);
const meta = (name) => document.querySelector(`meta[name="${name}"]`);

// ── requests of htmx: protected against forgery, and told of when they fail ──
document.addEventListener("htmx:config:request", ({ detail }) => {
  detail.ctx.request.headers["X-CSRFToken"] = meta("csrf-token").content;
});
document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  answered(ctx.response.status, ctx.sourceElement);
});
document.addEventListener("trouble", ({ detail }) => answered(detail ?? 200, document)); // own requests

// A trouble is over when what failed succeeds; being signed out, when anything does.
let failed;
function answered(status, source) {
  if (status >= 400) failed = { status, source };
  else if (failed?.status === 401 || failed?.source === source) failed = undefined;
  else return;
  show(failed?.status);
  if (status === 400 || status === 401) renew();
}

function show(status) {
  const kind = status === undefined ? "" : [401, 413].includes(status) ? `${status}` : "other";
  for (const banner of $$("[data-trouble]")) banner.hidden = banner.dataset.trouble !== kind;
  for (const code of $$("[data-trouble-code]")) code.textContent = status ?? "";
}

// A page that outlived its session takes the new one's token, once its person is signed in again.
async function renew() {
  const answer = await fetch("/login/token", { cache: "no-store" });
  if (answer.status === 423) document.dispatchEvent(new Event("locked"));
  if (answer.status !== 200 || answer.headers.get("X-Person") !== meta("person")?.content) return;
  const token = await answer.text();
  meta("csrf-token").content = token;
  for (const field of $$("input[name=csrf_token]")) field.value = token;
  for (const banner of $$("[data-trouble='401']")) banner.hidden = true;
  document.dispatchEvent(new Event("signed-in"));
}
document.addEventListener("uncovered", renew);
addEventListener("focus", () => {
  if (document.querySelector("[data-trouble='401']:not([hidden])")) renew();
});

// ── fields: what the browser would say of them in a language of its own ──
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
  const shown = field.type === "password";
  field.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", shown);
  field.focus();
});
document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-print]")) print();
});
document.addEventListener("keyup", (event) => {
  if (event.target.type !== "password" || !event.getModifierState) return;
  for (const hint of $$("[data-caps-lock]")) hint.hidden = !event.getModifierState("CapsLock");
});

// ── timers: by the server's clock, which this computer's may miss by minutes ──
const missed = Date.parse(meta("now").content) - Date.now();
const ahead = Math.abs(missed) > 2000 ? missed : 0;
const secondsSince = (moment) => Math.max(0, (Date.now() + ahead - Date.parse(moment)) / 1000);

// What stands until a moment is fetched anew once that has come.
function over(time) {
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
    const counted = secondsSince(time.dateTime);
    const left = Math.max(0, (Date.parse(time.dateTime) - Date.now() - ahead) / 1000);
    const seconds = "until" in time.dataset ? Math.ceil(left) : Math.floor(counted);
    if (!seconds && "until" in time.dataset) over(time);
    const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    const two = (n) => String(n).padStart(2, "0");
    const text = h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
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
