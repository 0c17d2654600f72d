// The phone in the operator's page. One tab of the browser has it: the one that holds the lock; when it is closed the
// next one takes it. The others show what it does, and send it what is pressed. While somebody is on the phone,
// links and forms open in new tabs: a page that is left would cut the sound.

import { bar, watch } from "./athand.js";
import { post, Refused } from "./server.js";
import { SipPhone } from "./sip.js";
import { chooseDevice, devices } from "./sound.js";

const place = document.getElementById("phone");
const sign = document.getElementById("phone-sign");
const { login, account: accountAt, quality: qualityAt, resume: resumeAt, sip } = place.dataset;
const channel = new BroadcastChannel(`phone:${login}`);
const GRACE = 4000; // milliseconds that a phone may take to come back before it is told

const page = crypto.randomUUID(); // this tab's name

let phone = null; // in the tab that has it
let state = { here: false, trouble: "starting", registered: false, stage: "", held: false, muted: false };
let notice = null;
let late;

// ── the tab that has the phone ──

async function own() {
  tell({ here: true });
  for (;;) {
    await microphone();
    const account = await accountOf();
    if (!account) return tell({ trouble: "off" });
    phone = new SipPhone(await import(sip), account, { onChange: changed, onOver: keepQuality });
    tell({ trouble: phone.ring.isMuzzled ? "silent" : "" });
    await until(() => (takenElsewhere() || isEnded() || phone.state.refused) && !phone.isInCall);
    phone.leave();
    phone = null;
    if (!takenElsewhere()) {
      tell({ registered: false });
      await new Promise((resolve) => setTimeout(resolve, GRACE)); // until the new password is in force
      continue;
    }
    tell({ trouble: "taken", registered: false });
    await once(document, "phone-again");
  }
}

// Null when his phone is no more in the page. While he talks on another computer it is left there, until the talk is
// over or he wants it here.
async function accountOf() {
  let take = false;
  const again = once(document, "phone-again").then(() => {
    take = true;
  });
  for (;;) {
    former = taken().dataset.page;
    named = false;
    try {
      const account = await post(accountAt, { page, take });
      if (account.speaks) {
        tell({ trouble: "talking" });
        await Promise.race([again, new Promise((resolve) => setTimeout(resolve, GRACE))]);
        continue;
      }
      return { ...account, socket: `${location.origin.replace("http", "ws")}/ws` };
    } catch (error) {
      if (error instanceof Refused) return null;
      await new Promise((resolve) => setTimeout(resolve, GRACE)); // no link, or signed out: both pass
    }
  }
}

// Another page of his, on another computer: the exchange rings the one that came last. An answer that was on its way
// while this page took the phone still names the one before it.
const taken = () => document.getElementById("phone-taken");
let former = "";
let named = false; // whether the server has named this page as the one with the phone

// The session in which this page took the phone is over, as after another password: it is asked for again.
const isEnded = () => named && taken().dataset.page === "";

function takenElsewhere() {
  const last = taken().dataset.page;
  if (last === page) {
    former = "";
    named = true;
  }
  return !["", page, former].includes(last);
}

// Looks again whenever the page has heard of something.
function until(condition) {
  return new Promise((resolve) => {
    const look = () => {
      if (!condition()) return;
      observer.disconnect();
      resolve();
    };
    const observer = new MutationObserver(look);
    observer.observe(place, { subtree: true, attributes: true });
    look();
  });
}

// Returns once there is one: a phone that could not speak shall not ring.
async function microphone() {
  for (;;) {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      for (const track of stream.getTracks()) track.stop();
      return;
    } catch (error) {
      tell({ trouble: error.name === "NotAllowedError" ? "refused" : "missing" });
      const permission = await navigator.permissions.query({ name: "microphone" });
      await Promise.race([
        once(permission, "change"),
        once(navigator.mediaDevices, "devicechange"),
        once(document, "phone-again"),
      ]);
    }
  }
}

const once = (target, event) => new Promise((resolve) => target.addEventListener(event, resolve, { once: true }));

function changed(now) {
  const before = state.stage;
  if (now.registered && !state.registered && !phone?.isInCall) resume("");
  tell(now);
  if (before === now.stage) return;
  bar().dispatchEvent(new Event("live"));
  notice?.close();
  notice = null;
  if (now.stage === "ringing" && !document.hasFocus() && Notification.permission === "granted") {
    notice = new Notification(place.dataset.rings, { body: now.number, tag: "call", requireInteraction: true });
    notice.onclick = () => focus();
  }
}

// The exchange gives a caller back whose page is gone. This one says so when it is left (with its talk), and when it has
// come; what is not said it finds by itself, some seconds later.
async function resume(session) {
  try {
    await post(resumeAt, { session }, { keepalive: true });
  } catch {}
}

addEventListener("pagehide", () => phone?.talk && resume(phone.talk));

async function keepQuality(quality) {
  if (!state.call) return;
  try {
    await post(qualityAt, { call: state.call, ...quality });
  } catch {} // a figure that is not kept stops nobody
  state.call = "";
}

function tell(changes) {
  state = { ...state, ...changes };
  channel.postMessage({ state });
  show();
}

// ── what is pressed, in any tab ──

function order(what, value) {
  if (what === "again") {
    document.dispatchEvent(new Event("phone-again"));
    if (!state.here) channel.postMessage({ what });
  } else if (!phone && !state.here) channel.postMessage({ what, value });
  else if (!phone) return;
  else if (what === "answer") phone.answer();
  else if (what === "hang-up") phone.hangUp();
  else if (what === "hold") phone.hold();
  else if (what === "mute") phone.mute();
  else if (what === "press") phone.press(value);
  else if (what === "call") phone.call(value);
  else if (what === "volume") phone.setVolume();
  else if (what === "auto-answer") phone.autoAnswer = value;
}

channel.addEventListener("message", ({ data }) => {
  if (data.what === "state") {
    if (state.here) channel.postMessage({ state });
  } else if (data.what) {
    if (state.here) order(data.what, data.value);
  } else if (!state.here) {
    state = { ...data.state, here: false };
    show();
  }
});

place.addEventListener("click", ({ target }) => {
  const { order: what, close } = target.closest("button")?.dataset ?? {};
  if (what === "keys") showKeys(place.querySelector("[data-keys]").hidden);
  else if (what) order(what, target.closest("button").value);
  else if (close !== undefined) showKeys(false);
});
place.querySelector("[data-keys]").addEventListener("keydown", (event) => {
  if (event.key === "Escape") showKeys(false);
  else if (/^[0-9*#]$/.test(event.key) && !event.altKey && !event.ctrlKey) order("press", event.key);
  else return;
  event.preventDefault();
  event.stopPropagation();
});
place.querySelector("[name=volume]").addEventListener("input", ({ target }) => {
  chooseDevice({ volume: Number(target.value) });
  order("volume");
});
watch(showHangUp);
document.addEventListener("phone-order", ({ detail }) => order(detail.what, detail.value));

function showKeys(shown) {
  const keys = place.querySelector("[data-keys]");
  const button = place.querySelector("[data-order=keys]");
  if (!shown && keys.contains(document.activeElement)) button.focus();
  keys.hidden = !shown;
  button.setAttribute("aria-expanded", shown);
  if (shown) keys.querySelector("button").focus();
}

// ── what is shown, in every tab ──

function show() {
  const { stage, held, muted, quality, registered } = state;
  if (state.here && stage === "talk") state.call = bar().dataset.call || state.call;
  for (const part of place.querySelectorAll("[data-at]")) part.hidden = !part.dataset.at.split(" ").includes(stage);
  place.querySelector("[data-order=hold]").setAttribute("aria-pressed", held);
  place.querySelector("[data-order=mute]").setAttribute("aria-pressed", muted);
  place.querySelector("[data-held]").hidden = !held;
  place.querySelector("[data-muted]").hidden = !muted;
  place.querySelector("[data-bad]").hidden = !quality?.bad;
  for (const figure of ["loss", "jitter", "delay"]) {
    place.querySelector(`[data-figure=${figure}]`).textContent = quality?.[figure] ?? "–";
  }
  place.querySelector("[data-bar]").hidden = !stage;
  if (!stage) showKeys(false);
  showHangUp();
  clearTimeout(late);
  const lost = state.trouble || (registered ? "" : "lost");
  if (lost === "lost") late = setTimeout(showTrouble, GRACE, lost);
  else showTrouble(lost);
  document.dispatchEvent(new CustomEvent("phone-state", { detail: state }));
}

// The call bar has the button, by the server; without it, or without a link to it, the phone hangs up by itself.
function showHangUp() {
  const lost = document.querySelector("[data-link=down]:not([hidden])");
  const alone = place.querySelector("[data-alone]");
  const hidden = !lost && document.getElementById("hang-up") !== null;
  if (alone.hidden !== hidden) alone.hidden = hidden; // is watched itself
}

function showTrouble(what) {
  const known = [...place.querySelectorAll("[data-phone-trouble]")];
  for (const one of known) one.hidden = one.dataset.phoneTrouble !== what;
  if (sign) sign.dataset.state = what || (state.here ? "here" : "elsewhere");
}

// ── nothing leaves the page that speaks ──

const speaks = () => state.here && state.stage !== "";

addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || !speaks() || link.target || link.hasAttribute("download")) return;
  if (link.getAttribute("href").startsWith("#")) return;
  inNewTab(link);
});
addEventListener("submit", (event) => {
  if (!event.defaultPrevented && speaks() && !event.target.target) inNewTab(event.target);
});
addEventListener("beforeunload", (event) => speaks() && event.preventDefault());

function inNewTab(element) {
  element.target = "_blank";
  setTimeout(() => element.removeAttribute("target"));
}

for (const event of ["pointerdown", "keydown"]) {
  document.addEventListener(event, async () => {
    if (state.trouble !== "silent") return;
    await phone?.ring.wake();
    tell({ trouble: "" });
  });
}

place.querySelector("[name=volume]").value = devices().volume;
channel.postMessage({ what: "state" });
show();
if (isSecureContext) {
  navigator.locks.request(`phone:${login}`, async () => {
    await own();
    await new Promise(() => {}); // as long as the tab is open
  });
} else tell({ trouble: "insecure" });
