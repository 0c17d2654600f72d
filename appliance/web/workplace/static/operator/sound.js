// The audio devices of the phone in the page, chosen on the Phone page and stored in this
// browser; and its ring tone, which is generated here.

const STORAGE_KEY = "phone-devices";
// "": the default device
const DEFAULTS = { microphone: "", speaker: "", ring: "", clean: true, volume: 1, ringVolume: 0.6 };

export const devices = () => ({ ...DEFAULTS, ...JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "{}") });

export function chooseDevice(changes) {
  localStorage.setItem(STORAGE_KEY, JSON.stringify({ ...devices(), ...changes }));
}

// Constraints for getUserMedia: the chosen microphone, or another one if it is not plugged in.
export function audioConstraints() {
  const { microphone, clean } = devices();
  return {
    echoCancellation: clean,
    noiseSuppression: clean,
    autoGainControl: clean,
    ...(microphone && { deviceId: { ideal: microphone } }),
  };
}

// Plays on the chosen device, or on the computer's default if it is not plugged in.
export async function playOn(audio, device) {
  try {
    await audio.setSinkId?.(device);
  } catch {
    await audio.setSinkId("");
  }
}

const PITCHES_HERTZ = [440, 480];
const [RING_SECONDS, PAUSE_SECONDS, RING_COUNT] = [1, 2, 40]; // seconds of sound and of silence; number of rings

export class Ring {
  #context = new AudioContext();
  #audio = new Audio();
  #tones = [];

  // Before the first click, the browser may keep a page silent.
  get isMuzzled() {
    return this.#context.state === "suspended";
  }

  wake() {
    return this.#context.resume();
  }

  start() {
    this.#play(RING_COUNT, RING_SECONDS);
  }

  beep() {
    this.#play(1, 0.3);
  }

  async #play(times, seconds) {
    this.stop();
    const { ring, ringVolume } = devices();
    const destination = this.#context.createMediaStreamDestination();
    const gain = this.#context.createGain();
    gain.gain.value = 0;
    const now = this.#context.currentTime;
    for (let i = 0; i < times; i++) {
      const at = now + i * (RING_SECONDS + PAUSE_SECONDS);
      gain.gain.setValueAtTime(ringVolume / PITCHES_HERTZ.length, at);
      gain.gain.setValueAtTime(0, at + seconds);
    }
    gain.connect(destination);
    this.#tones = PITCHES_HERTZ.map((pitch) => {
      const tone = new OscillatorNode(this.#context, { frequency: pitch });
      tone.connect(gain);
      tone.start();
      tone.stop(now + times * (RING_SECONDS + PAUSE_SECONDS));
      return tone;
    });
    this.#audio.srcObject = destination.stream;
    await playOn(this.#audio, ring);
    await this.#audio.play().catch(() => {}); // not before a click
  }

  stop() {
    for (const tone of this.#tones) tone.stop();
    this.#tones = [];
    this.#audio.pause();
    this.#audio.srcObject = null;
  }
}
