// The audio quality of a talk, from the browser's statistics: packet loss, jitter and delay.

const INTERVAL_MILLISECONDS = 2000;
export const BAD_LIMITS = { loss: 3, jitter: 40, delay: 300 }; // percent, ms, ms; as in docs/figures.md

export class Quality {
  #connection;
  #onFigures;
  #timer;
  #before = null;
  #sums = { seconds: 0, jitter: 0, delays: 0, delay: 0 };
  #last = null;

  // `onFigures` is called with { loss, jitter, delay, bad } of the last two seconds.
  constructor(connection, onFigures) {
    this.#connection = connection;
    this.#onFigures = onFigures;
    this.#timer = setInterval(() => this.#measure(), INTERVAL_MILLISECONDS);
  }

  // The figures of the whole talk: { seconds, loss, jitter, delay }, or null if it was too short.
  end() {
    clearInterval(this.#timer);
    const { seconds, jitter, delay, delays } = this.#sums;
    if (!this.#last || !seconds) return null;
    return {
      seconds,
      loss: round(lossPercent(this.#last, { received: 0, lost: 0, sent: 0, lostThere: 0 })),
      jitter: round((jitter * INTERVAL_MILLISECONDS) / 1000 / seconds),
      delay: delays ? round(delay / delays) : null,
    };
  }

  async #measure() {
    if (this.#connection.connectionState !== "connected") return;
    const now = packetTotals(await this.#connection.getStats());
    const before = this.#before;
    this.#before = this.#last = now;
    if (!before) return;
    this.#sums.seconds += INTERVAL_MILLISECONDS / 1000;
    this.#sums.jitter += now.jitter;
    if (now.delay !== null) {
      this.#sums.delay += now.delay;
      this.#sums.delays++;
    }
    const figures = { loss: lossPercent(now, before), jitter: now.jitter, delay: now.delay };
    const bad =
      figures.loss > BAD_LIMITS.loss || figures.jitter > BAD_LIMITS.jitter || (figures.delay ?? 0) > BAD_LIMITS.delay;
    this.#onFigures({
      loss: round(figures.loss),
      jitter: round(figures.jitter),
      delay: figures.delay && round(figures.delay),
      bad,
    });
  }
}

const round = (figure) => Math.round(figure * 10) / 10;

function packetTotals(stats) {
  const totals = { received: 0, lost: 0, sent: 0, lostThere: 0, jitter: 0, delay: null };
  for (const report of stats.values()) {
    if (report.type === "inbound-rtp") {
      totals.received = report.packetsReceived;
      totals.lost = Math.max(0, report.packetsLost);
      totals.jitter = report.jitter * 1000;
    } else if (report.type === "outbound-rtp") totals.sent = report.packetsSent;
    else if (report.type === "remote-inbound-rtp") totals.lostThere = Math.max(0, report.packetsLost);
    else if (report.type === "candidate-pair" && report.nominated && report.currentRoundTripTime !== undefined)
      totals.delay = report.currentRoundTripTime * 1000;
  }
  return totals;
}

// Percentage lost since then, in the direction that lost more.
function lossPercent(now, before) {
  const share = (lost, received) => (lost + received > 0 ? (100 * lost) / (lost + received) : 0);
  const here = share(Math.max(0, now.lost - before.lost), now.received - before.received);
  const lostThere = Math.max(0, now.lostThere - before.lostThere);
  const there = share(lostThere, Math.max(0, now.sent - before.sent - lostThere));
  return Math.min(100, Math.max(here, there));
}
