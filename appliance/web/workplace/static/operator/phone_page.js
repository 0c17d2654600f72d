// The page Phone: the devices of this computer, chosen and tried.

import { chooseDevice, devices, Ring, wantedSound } from "./sound.js";

const KINDS = { microphone: "audioinput", speaker: "audiooutput", ring: "audiooutput" };
const RINGS = 4000; // milliseconds of a trial

const panel = document.getElementById("devices");
const field = (name) => panel.querySelector(`[name=${name}]`);
const level = document.getElementById("level");
const order = (what, value) => document.dispatchEvent(new CustomEvent("phone-order", { detail: { what, value } }));

let listening = null; // the microphone's stream
let ring;
let quiet;

// Names of devices are told once the microphone may be used.
async function list() {
  const found = await navigator.mediaDevices.enumerateDevices();
  for (const [name, kind] of Object.entries(KINDS)) {
    const select = field(name);
    while (select.options.length > 1) select.remove(1);
    for (const one of found) {
      if (one.kind === kind && one.label && !["default", "communications"].includes(one.deviceId))
        select.add(new Option(one.label, one.deviceId));
    }
    select.value = devices()[name];
    if (select.selectedIndex < 0) select.value = "";
  }
}

async function listen() {
  for (const track of listening?.getTracks() ?? []) track.stop();
  try {
    listening = await navigator.mediaDevices.getUserMedia({ audio: wantedSound() });
  } catch {
    panel.querySelector("[data-none]").hidden = false;
    return;
  }
  panel.querySelector("[data-none]").hidden = true;
  await list();
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  context.createMediaStreamSource(listening).connect(analyser);
  const stream = listening;
  const samples = new Float32Array(analyser.fftSize);
  const look = () => {
    if (stream !== listening) return context.close();
    analyser.getFloatTimeDomainData(samples);
    level.value = Math.min(1, 4 * Math.hypot(...samples) * samples.length ** -0.5);
    setTimeout(look, 100);
  };
  look();
}

panel.addEventListener("change", ({ target }) => {
  if (!(target.name in devices())) return;
  const values = { range: Number(target.value), checkbox: target.checked };
  chooseDevice({ [target.name]: values[target.type] ?? target.value });
  order("volume");
  if (["microphone", "clean"].includes(target.name)) listen();
});

panel.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-try]");
  const what = button?.dataset.try;
  if (what === "echo") order("call", button.value);
  else if (what === "notices") await Notification.requestPermission();
  else if (what === "ring") {
    ring ??= new Ring();
    clearTimeout(quiet);
    await ring.wake();
    ring.start();
    quiet = setTimeout(() => ring.stop(), RINGS);
  }
  noticesAreAllowed();
});

// The button is there until the browser has been asked.
function noticesAreAllowed() {
  panel.querySelector("[data-try=notices]").hidden = Notification.permission !== "default";
}

for (const name of ["volume", "ringVolume"]) field(name).value = devices()[name];
navigator.mediaDevices.addEventListener("devicechange", list);
field("clean").checked = devices().clean;
order("auto-answer", document.querySelector("[name=auto_answer]").checked);
noticesAreAllowed();
listen();
