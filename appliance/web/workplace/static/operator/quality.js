// How well a talk arrives, by the browser's own count: what was lost on the way, how unevenly it comes, how long it takes.

const EVERY = 2000; // milliseconds
export const BAD = { loss: 3, jitter: 40, delay: 300 }; // percent, ms, ms; as in docs/figures.md

export class Quality {
  #connection;
  #tell;
  #timer;
  #before = null;
  #sums = { seconds: 0, jitter: 0, delays: 0, delay: 0 };
  #last = null;

  // `tell` is called with { loss, jitter, delay, bad } of the last two seconds.
  constructor(connection, tell) {
    this.#connection = connection;
    this.#tell = tell;
    this.#timer = setInterval(() => this.#look(), EVERY);
  }

  // Of the whole talk: { seconds, loss, jitter, delay }, or null when there was too little of it.
  end() {
    clearInterval(this.#timer);
    const { seconds, jitter, delay, delays } = this.#sums;
    if (!this.#last || !seconds) return null;
    return {
      seconds,
      loss: round(lost(this.#last, { received: 0, lost: 0, sent: 0, lostThere: 0 })),
      jitter: round((jitter * EVERY) / 1000 / seconds),
      delay: delays ? round(delay / delays) : null,
    };
  }

  async #look() {
    if (this.#connection.connectionState !== "connected") return;
    const now = counts(await this.#connection.getStats());
    const before = this.#before;
    this.#before = this.#last = now;
    if (!before) return;
    this.#sums.seconds += EVERY / 1000;
    this.#sums.jitter += now.jitter;
    if (now.delay !== null) {
      this.#sums.delay += now.delay;
      this.#sums.delays++;
    }
    const seen = { loss: lost(now, before), jitter: now.jitter, delay: now.delay };
    const bad = seen.loss > BAD.loss || seen.jitter > BAD.jitter || (seen.delay ?? 0) > BAD.delay;
    this.#tell({ loss: round(seen.loss), jitter: round(seen.jitter), delay: seen.delay && round(seen.delay), bad });
  }
}

const round = (figure) => Math.round(figure * 10) / 10;

function counts(stats) {
  const found = { received: 0, lost: 0, sent: 0, lostThere: 0, jitter: 0, delay: null };
  for (const one of stats.values()) {
    if (one.type === "inbound-rtp") {
      found.received = one.packetsReceived;
      found.lost = Math.max(0, one.packetsLost);
      found.jitter = one.jitter * 1000;
    } else if (one.type === "outbound-rtp") found.sent = one.packetsSent;
    else if (one.type === "remote-inbound-rtp") found.lostThere = Math.max(0, one.packetsLost);
    else if (one.type === "candidate-pair" && one.nominated && one.currentRoundTripTime !== undefined)
      found.delay = one.currentRoundTripTime * 1000;
  }
  return found;
}

// Percent lost since then, of the direction that lost more.
function lost(now, before) {
  const share = (gone, came) => (gone + came > 0 ? (100 * gone) / (gone + came) : 0);
  const here = share(Math.max(0, now.lost - before.lost), now.received - before.received);
  const gone = Math.max(0, now.lostThere - before.lostThere);
  const there = share(gone, Math.max(0, now.sent - before.sent - gone));
  return Math.min(100, Math.max(here, there));
}
