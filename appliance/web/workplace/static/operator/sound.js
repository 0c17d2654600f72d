// What the phone in the page sounds on: the devices of this computer, chosen on the page Phone and kept in this browser;
// the ring, which is made here.

const KEY = "phone-devices";
const FIRST = { microphone: "", speaker: "", ring: "", clean: true, volume: 1, ringVolume: 0.6 }; // "": what the computer takes

export const devices = () => ({ ...FIRST, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") });

export function chooseDevice(changes) {
  localStorage.setItem(KEY, JSON.stringify({ ...devices(), ...changes }));
}

// What is asked of getUserMedia: the chosen microphone, or another one when it is not plugged in.
export function wantedSound() {
  const { microphone, clean } = devices();
  return {
    echoCancellation: clean,
    noiseSuppression: clean,
    autoGainControl: clean,
    ...(microphone && { deviceId: { ideal: microphone } }),
  };
}

// The device that was chosen, or the computer's own when it is not plugged in.
export async function soundOn(audio, device) {
  try {
    await audio.setSinkId?.(device);
  } catch {
    await audio.setSinkId("");
  }
}

const PITCHES = [440, 480]; // Hz
const [ON, PAUSE, TIMES] = [1, 2, 40]; // seconds that it sounds, and is silent; how often

export class Ring {
  #context = new AudioContext();
  #audio = new Audio();
  #sounding = [];

  // Before anybody has clicked on it, a page may be silent by the browser's rules.
  get isMuzzled() {
    return this.#context.state === "suspended";
  }

  wake() {
    return this.#context.resume();
  }

  start() {
    this.#play(TIMES, ON);
  }

  beep() {
    this.#play(1, 0.3);
  }

  async #play(times, seconds) {
    this.stop();
    const { ring, ringVolume } = devices();
    const out = this.#context.createMediaStreamDestination();
    const gain = this.#context.createGain();
    gain.gain.value = 0;
    const now = this.#context.currentTime;
    for (let i = 0; i < times; i++) {
      const at = now + i * (ON + PAUSE);
      gain.gain.setValueAtTime(ringVolume / PITCHES.length, at);
      gain.gain.setValueAtTime(0, at + seconds);
    }
    gain.connect(out);
    this.#sounding = PITCHES.map((pitch) => {
      const tone = new OscillatorNode(this.#context, { frequency: pitch });
      tone.connect(gain);
      tone.start();
      tone.stop(now + times * (ON + PAUSE));
      return tone;
    });
    this.#audio.srcObject = out.stream;
    await soundOn(this.#audio, ring);
    await this.#audio.play().catch(() => {}); // not before a click
  }

  stop() {
    for (const tone of this.#sounding) tone.stop();
    this.#sounding = [];
    this.#audio.pause();
    this.#audio.srcObject = null;
  }
}
