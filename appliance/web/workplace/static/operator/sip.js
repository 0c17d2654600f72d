// One SIP account over a WebSocket, and its single call. `onChange(state)` reports every change:
//   registered   whether the exchange can ring it
//   refused      whether its password is no longer valid: a new account has to be requested
//   stage        "" | ringing | dialling | talk
//   number       of the other party, if known
//   held, muted  by this side
//   quality      { loss, jitter, delay, bad } or null
// A page that is closed or reloaded sends no BYE: the exchange keeps the caller, and calls the page again.

import { Quality } from "./quality.js";
import { audioConstraints, devices, playOn, Ring } from "./sound.js";

const RESUME_HEADER = "X-Hotline-Resume"; // marks a call that resumes a talk that was cut off
// headers of calls that are answered automatically: those the operator requested
const AUTO_ANSWER_HEADERS = [RESUME_HEADER, "X-Hotline-Answer"];
const REGISTRATION_SECONDS = 600; // validity of a registration; it ends with its connection anyway
const REFUSED_STATUSES = [401, 403, 407]; // SIP statuses for a password that is no longer valid
const CHECK_MILLISECONDS = 15_000; // between checks of the connection to the exchange
// The exchange is in the same network: no STUN, no internet. All addresses of this side,
// gathered in an eighth of a second, are sent at once: with an address that the exchange cannot
// reach, over TCP or IPv6, it would start without candidates, and there would be no audio.
const CONNECTION_CONFIG = { iceServers: [] };

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
  #abortController = new AbortController();

  // `onOver` is called with the quality of each talk.
  constructor({ UA, WebSocketInterface }, account, { onChange, onOver }) {
    this.#account = account;
    this.#onChange = onChange;
    this.#onOver = onOver;
    this.#ua = new UA({
      sockets: [new WebSocketInterface(account.socket)],
      uri: account.uri,
      password: account.password,
      register_expires: REGISTRATION_SECONDS,
      session_timers: false,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 8,
      user_agent: "Hotline page",
    });
    this.#ua.on("registered", () => {
      this.#change({ registered: true });
      this.#renegotiate();
    });
    this.#ua.on("registrationFailed", ({ response }) => {
      if (REFUSED_STATUSES.includes(response?.status_code)) this.#change({ refused: true });
    });
    for (const event of ["unregistered", "registrationFailed", "disconnected"]) {
      this.#ua.on(event, () => this.#change({ registered: false }));
    }
    this.#ua.on("newRTCSession", ({ session, request, originator }) => {
      if (originator === "remote") this.#onInvite(session, request);
    });
    navigator.mediaDevices.addEventListener("devicechange", () => this.#replaceMicrophone(), this.#abortController);
    this.#ua.start();
    const checkTimer = setInterval(() => this.#checkConnection(), CHECK_MILLISECONDS);
    this.#abortController.signal.addEventListener("abort", () => clearInterval(checkTimer));
  }

  // Ends permanently: another page has the account.
  leave() {
    this.#abortController.abort();
    this.#onChange = () => {};
    this.#ua.stop();
  }

  get ring() {
    return this.#ring;
  }

  get isInCall() {
    return this.#session !== null;
  }

  // The SIP Call-ID of the talk, "" outside a talk.
  get talk() {
    return this.#session?.isEstablished() ? this.#session._request.call_id : "";
  }

  set autoAnswer(isEnabled) {
    this.#account.autoAnswer = isEnabled;
  }

  answer() {
    if (this.state.stage !== "ringing" || this.#session.isEstablished()) return;
    this.#ring.stop();
    this.#session.answer({
      mediaConstraints: { audio: audioConstraints(), video: false },
      pcConfig: CONNECTION_CONFIG,
    });
  }

  call(number) {
    if (this.#session) return;
    const options = { mediaConstraints: { audio: audioConstraints(), video: false }, pcConfig: CONNECTION_CONFIG };
    this.#adopt(this.#ua.call(`sip:${number}@${this.#account.host}`, options), "dialling", number);
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

  #onInvite(session, request) {
    if (this.#session && !request.hasHeader(RESUME_HEADER)) {
      session.terminate({ status_code: 486 });
      return;
    }
    if (this.talk) this.#session._ended("system", null, "");
    else this.#session?.terminate({ status_code: 486 });
    this.#adopt(session, "ringing", session.remote_identity.uri.user);
    if (AUTO_ANSWER_HEADERS.some((header) => request.hasHeader(header))) this.answer();
    else if (this.#account.autoAnswer) {
      this.#ring.beep();
      this.answer();
    } else this.#ring.start();
  }

  #adopt(session, stage, number) {
    this.#session = session;
    endOnlyByUser(session);
    session.on("accepted", () => this.#onTalk());
    session.on("confirmed", () => this.#onTalk());
    for (const [event, change] of [
      ["hold", { held: true }],
      ["unhold", { held: false }],
    ]) {
      session.on(event, ({ originator }) => originator === "local" && this.#change(change));
    }
    session.on("muted", () => this.#change({ muted: true }));
    session.on("unmuted", () => this.#change({ muted: false }));
    session.on("peerconnection", ({ peerconnection }) => this.#listen(peerconnection));
    for (const event of ["ended", "failed"]) session.on(event, () => this.#onEnded(session));
    if (session.connection) this.#listen(session.connection);
    this.#change({ stage, number });
  }

  #listen(connection) {
    connection.addEventListener("track", async ({ streams: [stream] }) => {
      this.#audio.srcObject = stream;
      this.setVolume();
      await playOn(this.#audio, devices().speaker);
      await this.#audio.play().catch(() => {}); // it becomes audible with the next click
    });
  }

  // A headset that was unplugged during a talk was plugged in again or replaced.
  async #replaceMicrophone() {
    const sender = this.#session?.connection?.getSenders().find(({ track }) => track?.kind === "audio");
    if (sender?.track.readyState !== "ended") return;
    try {
      const [track] = (await navigator.mediaDevices.getUserMedia({ audio: audioConstraints() })).getAudioTracks();
      track.enabled = !this.state.muted;
      await sender.replaceTrack(track);
      this.#session.on("ended", () => track.stop());
    } catch {} // the next device that is plugged in may work
  }

  #onTalk() {
    this.#ring.stop();
    this.#quality ??= new Quality(this.#session.connection, (quality) => this.#change({ quality }));
    this.#change({ stage: "talk" });
  }

  #onEnded(session) {
    if (session !== this.#session) return;
    this.#ring.stop();
    const summary = this.#quality?.end();
    this.#session = this.#quality = null;
    this.#audio.srcObject = null;
    this.#change({ stage: "", number: "", held: false, muted: false, quality: null });
    if (summary) this.#onOver(summary);
  }

  // A talk survives the connection over which it was set up. Over the new one the exchange
  // learns the page's address, and the page learns whether the talk is over.
  #renegotiate() {
    if (this.talk) this.#session.renegotiate();
  }

  // A connection can be dead but open without any event: if there is no answer, it is made again.
  #checkConnection() {
    if (!this.#ua.isConnected()) return;
    const reconnect = () => {
      this.#change({ registered: false });
      this.#ua.transport.disconnect();
      this.#ua.transport.connect();
    };
    try {
      this.#ua.sendOptions(`sip:${this.#account.host}`, "", {
        eventHandlers: {
          failed: ({ originator, cause }) => {
            if (originator !== "remote" && cause === "Request Timeout") reconnect();
          },
        },
      });
    } catch {
      reconnect();
    }
  }
}

// A network failure does not end a talk: nothing is sent, so that the exchange keeps the caller
// and calls the page again. (JsSIP would send a BYE; the cause that it names distinguishes its
// own action from the user's.)
function endOnlyByUser(session) {
  const terminate = session.terminate.bind(session);
  session.terminate = (options) => {
    if (options?.cause && session.isEstablished()) session._ended("system", null, options.cause);
    else terminate(options);
  };
}
