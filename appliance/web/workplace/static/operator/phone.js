// The phone in the operator's page. It runs in one tab of the browser, the one that holds the
// lock; when that tab is closed, the next one takes over. The other tabs show its state and
// send it the user's commands. During a call, links and forms open in new tabs, because leaving
// the page would cut the audio.

import { bar, watch } from "./athand.js";
import { post, Refused } from "./server.js";
import { SipPhone } from "./sip.js";
import { chooseDevice, devices } from "./sound.js";

const phoneBar = document.getElementById("phone");
const sign = document.getElementById("phone-sign");
const { login, account: accountAt, quality: qualityAt, resume: resumeAt, sip } = phoneBar.dataset;
const channel = new BroadcastChannel(`phone:${login}`);
const GRACE_MILLISECONDS = 4000; // time that a phone may take to reconnect before the loss is shown

const page = crypto.randomUUID(); // identifies this tab

let phone = null; // set in the tab that runs the phone
let state = { here: false, trouble: "starting", registered: false, stage: "", held: false, muted: false };
let notice = null;
let lossTimer;

// ── the tab that runs the phone ──

async function runPhone() {
  updateState({ here: true });
  for (;;) {
    await waitForMicrophone();
    const account = await requestAccount();
    if (!account) return updateState({ trouble: "off" });
    phone = new SipPhone(await import(sip), account, { onChange: handleChange, onOver: saveQuality });
    updateState({ trouble: phone.ring.isMuzzled ? "silent" : "" });
    await waitUntil(() => (takenElsewhere() || isEnded() || phone.state.refused) && !phone.isInCall);
    phone.leave();
    phone = null;
    if (!takenElsewhere()) {
      updateState({ registered: false });
      await new Promise((resolve) => setTimeout(resolve, GRACE_MILLISECONDS)); // until the new password is in force
      continue;
    }
    updateState({ trouble: "taken", registered: false });
    await nextEvent(document, "phone-again");
  }
}

// Null if the operator's phone is no longer in the page. During a talk on another computer the
// account stays there until the talk is over or the operator requests the phone here.
async function requestAccount() {
  let takesOver = false;
  const requestedHere = nextEvent(document, "phone-again").then(() => {
    takesOver = true;
  });
  for (;;) {
    formerPage = takenElement().dataset.page;
    isNamed = false;
    try {
      const account = await post(accountAt, { page, take: takesOver });
      if (account.speaks) {
        updateState({ trouble: "talking" });
        await Promise.race([requestedHere, new Promise((resolve) => setTimeout(resolve, GRACE_MILLISECONDS))]);
        continue;
      }
      return { ...account, socket: `${location.origin.replace("http", "ws")}/ws` };
    } catch (error) {
      if (error instanceof Refused) return null;
      // no connection, or signed out: both are temporary
      await new Promise((resolve) => setTimeout(resolve, GRACE_MILLISECONDS));
    }
  }
}

// Another page of the same operator, on another computer: the exchange rings the page that
// registered last. A response sent while this page was taking over the phone still names the
// previous page.
const takenElement = () => document.getElementById("phone-taken");
let formerPage = "";
let isNamed = false; // whether the server has named this page as the one with the phone

// The session in which this page took the phone is over, e.g. after a password change: the
// account is requested again.
const isEnded = () => isNamed && takenElement().dataset.page === "";

function takenElsewhere() {
  const last = takenElement().dataset.page;
  if (last === page) {
    formerPage = "";
    isNamed = true;
  }
  return !["", page, formerPage].includes(last);
}

// Checks the condition again whenever the page's phone elements change.
function waitUntil(condition) {
  return new Promise((resolve) => {
    const check = () => {
      if (!condition()) return;
      observer.disconnect();
      resolve();
    };
    const observer = new MutationObserver(check);
    observer.observe(phoneBar, { subtree: true, attributes: true });
    check();
  });
}

// Returns once there is a microphone: a phone that cannot send audio must not ring.
async function waitForMicrophone() {
  for (;;) {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      for (const track of stream.getTracks()) track.stop();
      return;
    } catch (error) {
      updateState({ trouble: error.name === "NotAllowedError" ? "refused" : "missing" });
      const permission = await navigator.permissions.query({ name: "microphone" });
      await Promise.race([
        nextEvent(permission, "change"),
        nextEvent(navigator.mediaDevices, "devicechange"),
        nextEvent(document, "phone-again"),
      ]);
    }
  }
}

const nextEvent = (target, event) => new Promise((resolve) => target.addEventListener(event, resolve, { once: true }));

function handleChange(newState) {
  const before = state.stage;
  if (newState.registered && !state.registered && !phone?.isInCall) reportResume("");
  updateState(newState);
  if (before === newState.stage) return;
  bar().dispatchEvent(new Event("live"));
  notice?.close();
  notice = null;
  if (newState.stage === "ringing" && !document.hasFocus() && Notification.permission === "granted") {
    notice = new Notification(phoneBar.dataset.rings, { body: newState.number, tag: "call", requireInteraction: true });
    notice.onclick = () => focus();
  }
}

// The exchange gives a caller back if their page is gone. The page reports when it is left
// (with its talk) and when it has registered; without a report the exchange notices some
// seconds later.
async function reportResume(session) {
  try {
    await post(resumeAt, { session }, { keepalive: true });
  } catch {}
}

addEventListener("pagehide", () => phone?.talk && reportResume(phone.talk));

async function saveQuality(quality) {
  if (!state.call) return;
  try {
    await post(qualityAt, { call: state.call, ...quality });
  } catch {} // a quality figure that could not be stored is no reason to fail
  state.call = "";
}

function updateState(changes) {
  state = { ...state, ...changes };
  channel.postMessage({ state });
  show();
}

// ── commands, in any tab ──

function command(what, value) {
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
    if (state.here) command(data.what, data.value);
  } else if (!state.here) {
    state = { ...data.state, here: false };
    show();
  }
});

phoneBar.addEventListener("click", ({ target }) => {
  const { order: what, close } = target.closest("button")?.dataset ?? {};
  if (what === "keys") showKeys(phoneBar.querySelector("[data-keys]").hidden);
  else if (what) command(what, target.closest("button").value);
  else if (close !== undefined) showKeys(false);
});
phoneBar.querySelector("[data-keys]").addEventListener("keydown", (event) => {
  if (event.key === "Escape") showKeys(false);
  else if (/^[0-9*#]$/.test(event.key) && !event.altKey && !event.ctrlKey) command("press", event.key);
  else return;
  event.preventDefault();
  event.stopPropagation();
});
phoneBar.querySelector("[name=volume]").addEventListener("input", ({ target }) => {
  chooseDevice({ volume: Number(target.value) });
  command("volume");
});
watch(showHangUp);
document.addEventListener("phone-order", ({ detail }) => command(detail.what, detail.value));

function showKeys(shown) {
  const keys = phoneBar.querySelector("[data-keys]");
  const button = phoneBar.querySelector("[data-order=keys]");
  if (!shown && keys.contains(document.activeElement)) button.focus();
  keys.hidden = !shown;
  button.setAttribute("aria-expanded", shown);
  if (shown) keys.querySelector("button").focus();
}

// ── display, in every tab ──

function show() {
  const { stage, held, muted, quality, registered } = state;
  if (state.here && stage === "talk") state.call = bar().dataset.call || state.call;
  for (const part of phoneBar.querySelectorAll("[data-at]")) part.hidden = !part.dataset.at.split(" ").includes(stage);
  phoneBar.querySelector("[data-order=hold]").setAttribute("aria-pressed", held);
  phoneBar.querySelector("[data-order=mute]").setAttribute("aria-pressed", muted);
  phoneBar.querySelector("[data-held]").hidden = !held;
  phoneBar.querySelector("[data-muted]").hidden = !muted;
  phoneBar.querySelector("[data-bad]").hidden = !quality?.bad;
  for (const figure of ["loss", "jitter", "delay"]) {
    phoneBar.querySelector(`[data-figure=${figure}]`).textContent = quality?.[figure] ?? "–";
  }
  phoneBar.querySelector("[data-bar]").hidden = !stage;
  if (!stage) showKeys(false);
  showHangUp();
  clearTimeout(lossTimer);
  const trouble = state.trouble || (registered ? "" : "lost");
  if (trouble === "lost") lossTimer = setTimeout(showTrouble, GRACE_MILLISECONDS, trouble);
  else showTrouble(trouble);
  document.dispatchEvent(new CustomEvent("phone-state", { detail: state }));
}

// The server renders the call bar's hang-up button; without that button, or without a
// connection, the phone shows its own.
function showHangUp() {
  const isDisconnected = document.querySelector("[data-link=down]:not([hidden])");
  const ownButton = phoneBar.querySelector("[data-alone]");
  const hidden = !isDisconnected && document.getElementById("hang-up") !== null;
  if (ownButton.hidden !== hidden) ownButton.hidden = hidden; // this element is itself observed
}

function showTrouble(what) {
  const banners = [...phoneBar.querySelectorAll("[data-phone-trouble]")];
  for (const banner of banners) banner.hidden = banner.dataset.phoneTrouble !== what;
  if (sign) sign.dataset.state = what || (state.here ? "here" : "elsewhere");
}

// ── nothing may leave the page during a call ──

const isInCall = () => state.here && state.stage !== "";

addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || !isInCall() || link.target || link.hasAttribute("download")) return;
  if (link.getAttribute("href").startsWith("#")) return;
  openInNewTab(link);
});
addEventListener("submit", (event) => {
  if (!event.defaultPrevented && isInCall() && !event.target.target) openInNewTab(event.target);
});
addEventListener("beforeunload", (event) => isInCall() && event.preventDefault());

function openInNewTab(element) {
  element.target = "_blank";
  setTimeout(() => element.removeAttribute("target"));
}

for (const event of ["pointerdown", "keydown"]) {
  document.addEventListener(event, async () => {
    if (state.trouble !== "silent") return;
    await phone?.ring.wake();
    updateState({ trouble: "" });
  });
}

phoneBar.querySelector("[name=volume]").value = devices().volume;
channel.postMessage({ what: "state" });
show();
if (isSecureContext) {
  navigator.locks.request(`phone:${login}`, async () => {
    await runPhone();
    await new Promise(() => {}); // holds the lock as long as the tab is open
  });
} else updateState({ trouble: "insecure" });
