// Live sections that are fetched at the same moment come with one request: appliance/web/shell/pieces.py.
const GATHERS = 10; // ms: those that wait for the same pace wake one after the other
const address = document.querySelector('meta[name="pieces"]')?.content;
let waiting = [];
const told = new Map(); // address → the piece, sent with the event that changed it

document.addEventListener("told", ({ detail: { at, piece } }) => told.set(at, piece));

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  const live = ctx.sourceElement.dataset?.live !== undefined && ctx.request.method === "GET";
  if (address && live) ctx.fetch = gathered;
});

function gathered(url, options) {
  const piece = told.get(url);
  told.delete(url);
  if (piece !== undefined) return Promise.resolve(new Response(piece, { status: 200 }));
  return new Promise((answer, refuse) => {
    if (!waiting.length) setTimeout(fetchTogether, GATHERS);
    waiting.push({ url, options, answer, refuse });
    options.signal?.addEventListener("abort", () => refuse(options.signal.reason));
  });
}

async function fetchTogether() {
  const asked = waiting;
  waiting = [];
  const alone = ({ url, options, answer }) => answer(fetch(url, options));
  if (asked.length === 1) return alone(asked[0]);
  const together = new URLSearchParams(asked.map(({ url }) => ["at", url]));
  try {
    const { signal, ...options } = asked[0].options;
    const got = await fetch(`${address}?${together}`, options);
    if (!got.ok) return asked.map(alone); // each is told by itself what is wrong
    const pieces = await got.json();
    asked.forEach((one, place) => {
      if (pieces[place] === null) alone(one);
      else one.answer(new Response(pieces[place], { status: 200 }));
    });
  } catch (error) {
    for (const { refuse } of asked) refuse(error);
  }
}
