// One SIP account over a WebSocket, and its one call. What it does is told by `onChange(state)`:
//   registered   whether the exchange can ring it
//   refused      whether its password holds no more: another account is asked for
//   stage        "" | ringing | dialling | talk
//   number       of the other end, where it has one
//   held, muted  by this side
//   quality      { loss, jitter, delay, bad } or null
// A page that is closed or loaded anew sends no BYE: the exchange keeps the caller, and calls the page again.

import { Quality } from "./quality.js";
import { devices, Ring, soundOn, wantedSound } from "./sound.js";

const RESUME = "X-Hotline-Resume"; // a talk that was cut
const BY_ITSELF = [RESUME, "X-Hotline-Answer"]; // a call that he asked for himself
const EXPIRES = 600; // seconds of a registration; it ends with its connection anyway
const REFUSED = [401, 403, 407]; // answers to a password that holds no more
const ALIVE = 15_000; // milliseconds between two questions whether the exchange is still there
// The exchange is in the house: no STUN, no internet. All ways to this side, found in an eighth of a second, are told at
// once: of one that the exchange cannot go itself, by TCP or IPv6, it would begin with none, and nobody be heard.
const NETWORK = { iceServers: [] };

export class SipPhone {
  state = { registered: false, refused: false, stage: "", number: "", held: false, muted: false, quality: null };
  #account;
  #ua;
  #onChange;
  #session = null;
  #quality = null;
  #audio = new Audio();
  #ring = new Ring();
  #onOver;
  #leaving = new AbortController();

  // `onOver` is called with the quality of each talk.
  constructor({ UA, WebSocketInterface }, account, { onChange, onOver }) {
    this.#account = account;
    this.#onChange = onChange;
    this.#onOver = onOver;
    this.#ua = new UA({
      sockets: [new WebSocketInterface(account.socket)],
      uri: account.uri,
      password: account.password,
      register_expires: EXPIRES,
      session_timers: false,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 8,
      user_agent: "Hotline page",
    });
    this.#ua.on("registered", () => {
      this.#change({ registered: true });
      this.#refresh();
    });
    this.#ua.on("registrationFailed", ({ response }) => {
      if (REFUSED.includes(response?.status_code)) this.#change({ refused: true });
    });
    for (const lost of ["unregistered", "registrationFailed", "disconnected"]) {
      this.#ua.on(lost, () => this.#change({ registered: false }));
    }
    this.#ua.on("newRTCSession", ({ session, request, originator }) => {
      if (originator === "remote") this.#rings(session, request);
    });
    navigator.mediaDevices.addEventListener("devicechange", () => this.#plugged(), this.#leaving);
    this.#ua.start();
    const alive = setInterval(() => this.#ask(), ALIVE);
    this.#leaving.signal.addEventListener("abort", () => clearInterval(alive));
  }

  // For good: another page has the account.
  leave() {
    this.#leaving.abort();
    this.#onChange = () => {};
    this.#ua.stop();
  }

  get ring() {
    return this.#ring;
  }

  get isInCall() {
    return this.#session !== null;
  }

  // The SIP Call-ID of the talk, "" while there is none.
  get talk() {
    return this.#session?.isEstablished() ? this.#session._request.call_id : "";
  }

  set autoAnswer(wanted) {
    this.#account.autoAnswer = wanted;
  }

  answer() {
    if (this.state.stage !== "ringing" || this.#session.isEstablished()) return;
    this.#ring.stop();
    this.#session.answer({ mediaConstraints: { audio: wantedSound(), video: false }, pcConfig: NETWORK });
  }

  call(number) {
    if (this.#session) return;
    const options = { mediaConstraints: { audio: wantedSound(), video: false }, pcConfig: NETWORK };
    this.#take(this.#ua.call(`sip:${number}@${this.#account.host}`, options), "dialling", number);
  }

  hangUp() {
    this.#session?.terminate();
  }

  hold() {
    if (this.state.stage !== "talk") return;
    if (this.state.held) this.#session.unhold();
    else this.#session.hold();
  }

  mute() {
    if (!this.#session) return;
    if (this.state.muted) this.#session.unmute({ audio: true });
    else this.#session.mute({ audio: true });
  }

  press(key) {
    if (this.state.stage === "talk") this.#session.sendDTMF(key, { transportType: "RFC2833" });
  }

  setVolume() {
    this.#audio.volume = devices().volume;
  }

  #change(changes) {
    const changed = Object.keys(changes).some((name) => this.state[name] !== changes[name]);
    this.state = { ...this.state, ...changes };
    if (changed) this.#onChange(this.state);
  }

  #rings(session, request) {
    if (this.#session && !request.hasHeader(RESUME)) {
      session.terminate({ status_code: 486 });
      return;
    }
    if (this.talk) this.#session._ended("system", null, "");
    else this.#session?.terminate({ status_code: 486 });
    this.#take(session, "ringing", session.remote_identity.uri.user);
    if (BY_ITSELF.some((header) => request.hasHeader(header))) this.answer();
    else if (this.#account.autoAnswer) {
      this.#ring.beep();
      this.answer();
    } else this.#ring.start();
  }

  #take(session, stage, number) {
    this.#session = session;
    onlyByPeople(session);
    session.on("accepted", () => this.#talks());
    session.on("confirmed", () => this.#talks());
    for (const [event, change] of [
      ["hold", { held: true }],
      ["unhold", { held: false }],
    ]) {
      session.on(event, ({ originator }) => originator === "local" && this.#change(change));
    }
    session.on("muted", () => this.#change({ muted: true }));
    session.on("unmuted", () => this.#change({ muted: false }));
    session.on("peerconnection", ({ peerconnection }) => this.#listen(peerconnection));
    for (const over of ["ended", "failed"]) session.on(over, () => this.#over(session));
    if (session.connection) this.#listen(session.connection);
    this.#change({ stage, number });
  }

  #listen(connection) {
    connection.addEventListener("track", async ({ streams: [stream] }) => {
      this.#audio.srcObject = stream;
      this.setVolume();
      await soundOn(this.#audio, devices().speaker);
      await this.#audio.play().catch(() => {}); // heard with the next click
    });
  }

  // A headset that was pulled out during a talk, and is there again or has a successor.
  async #plugged() {
    const sender = this.#session?.connection?.getSenders().find(({ track }) => track?.kind === "audio");
    if (sender?.track.readyState !== "ended") return;
    try {
      const [track] = (await navigator.mediaDevices.getUserMedia({ audio: wantedSound() })).getAudioTracks();
      track.enabled = !this.state.muted;
      await sender.replaceTrack(track);
      this.#session.on("ended", () => track.stop());
    } catch {} // the next device that is plugged in may do
  }

  #talks() {
    this.#ring.stop();
    this.#quality ??= new Quality(this.#session.connection, (quality) => this.#change({ quality }));
    this.#change({ stage: "talk" });
  }

  #over(session) {
    if (session !== this.#session) return;
    this.#ring.stop();
    const told = this.#quality?.end();
    this.#session = this.#quality = null;
    this.#audio.srcObject = null;
    this.#change({ stage: "", number: "", held: false, muted: false, quality: null });
    if (told) this.#onOver(told);
  }

  // A talk outlives the connection over which it was agreed; over the new one the exchange learns where the page is, and
  // the page whether the talk is over.
  #refresh() {
    if (this.talk) this.#session.renegotiate();
  }

  // A connection that is dead but open tells nothing by itself: without an answer it is made anew.
  #ask() {
    if (!this.#ua.isConnected()) return;
    const again = () => {
      this.#change({ registered: false });
      this.#ua.transport.disconnect();
      this.#ua.transport.connect();
    };
    try {
      this.#ua.sendOptions(`sip:${this.#account.host}`, "", {
        eventHandlers: {
          failed: ({ originator, cause }) => {
            if (originator !== "remote" && cause === "Request Timeout") again();
          },
        },
      });
    } catch {
      again();
    }
  }
}

// A network that fails ends no talk: nothing is sent, so that the exchange keeps the caller and calls the page again.
// (JsSIP would send a BYE; what it names as the cause tells its own doing from a person's.)
function onlyByPeople(session) {
  const terminate = session.terminate.bind(session);
  session.terminate = (options) => {
    if (options?.cause && session.isEstablished()) session._ended("system", null, options.cause);
    else terminate(options);
  };
}
