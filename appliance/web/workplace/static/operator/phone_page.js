// The Phone page: choosing and testing the devices of this computer.

import { audioConstraints, chooseDevice, devices, Ring } from "./sound.js";

const KINDS = { microphone: "audioinput", speaker: "audiooutput", ring: "audiooutput" };
const TEST_RING_MILLISECONDS = 4000;

const panel = document.getElementById("devices");
const field = (name) => panel.querySelector(`[name=${name}]`);
const level = document.getElementById("level");
const sendCommand = (what, value) =>
  document.dispatchEvent(new CustomEvent("phone-order", { detail: { what, value } }));

let microphoneStream = null; // the microphone's stream
let ring;
let stopTimer;

// Browsers reveal device names only once the microphone may be used.
async function listDevices() {
  const available = await navigator.mediaDevices.enumerateDevices();
  for (const [name, kind] of Object.entries(KINDS)) {
    const select = field(name);
    while (select.options.length > 1) select.remove(1);
    for (const device of available) {
      if (device.kind === kind && device.label && !["default", "communications"].includes(device.deviceId))
        select.add(new Option(device.label, device.deviceId));
    }
    select.value = devices()[name];
    if (select.selectedIndex < 0) select.value = "";
  }
}

async function showLevel() {
  for (const track of microphoneStream?.getTracks() ?? []) track.stop();
  try {
    microphoneStream = await navigator.mediaDevices.getUserMedia({ audio: audioConstraints() });
  } catch {
    panel.querySelector("[data-none]").hidden = false;
    return;
  }
  panel.querySelector("[data-none]").hidden = true;
  await listDevices();
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  context.createMediaStreamSource(microphoneStream).connect(analyser);
  const stream = microphoneStream;
  const samples = new Float32Array(analyser.fftSize);
  const measure = () => {
    if (stream !== microphoneStream) return context.close();
    analyser.getFloatTimeDomainData(samples);
    level.value = Math.min(1, 4 * Math.hypot(...samples) * samples.length ** -0.5);
    setTimeout(measure, 100);
  };
  measure();
}

panel.addEventListener("change", ({ target }) => {
  if (!(target.name in devices())) return;
  const values = { range: Number(target.value), checkbox: target.checked };
  chooseDevice({ [target.name]: values[target.type] ?? target.value });
  sendCommand("volume");
  if (["microphone", "clean"].includes(target.name)) showLevel();
});

panel.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-try]");
  const what = button?.dataset.try;
  if (what === "echo") sendCommand("call", button.value);
  else if (what === "notices") await Notification.requestPermission();
  else if (what === "ring") {
    ring ??= new Ring();
    clearTimeout(stopTimer);
    await ring.wake();
    ring.start();
    stopTimer = setTimeout(() => ring.stop(), TEST_RING_MILLISECONDS);
  }
  noticesAreAllowed();
});

// Shows the button until the browser's permission has been requested.
function noticesAreAllowed() {
  panel.querySelector("[data-try=notices]").hidden = Notification.permission !== "default";
}

for (const name of ["volume", "ringVolume"]) field(name).value = devices()[name];
navigator.mediaDevices.addEventListener("devicechange", listDevices);
field("clean").checked = devices().clean;
sendCommand("auto-answer", document.querySelector("[name=auto_answer]").checked);
noticesAreAllowed();
showLevel();
