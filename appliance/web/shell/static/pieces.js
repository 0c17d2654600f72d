// Fetches live sections that are due at the same time in one request:
// appliance/web/shell/pieces.py.
const GATHER_MILLISECONDS = 10; // sections that wait for the same pace become due one after the other
const address = document.querySelector('meta[name="pieces"]')?.content;
let waiting = [];
const sentPieces = new Map(); // address → the section, sent with the event that changed it

document.addEventListener("told", ({ detail: { at, piece } }) => sentPieces.set(at, piece));

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  const live = ctx.sourceElement.dataset?.live !== undefined && ctx.request.method === "GET";
  if (address && live) ctx.fetch = fetchPiece;
});

function fetchPiece(url, options) {
  const piece = sentPieces.get(url);
  sentPieces.delete(url);
  if (piece !== undefined) return Promise.resolve(new Response(piece, { status: 200 }));
  return new Promise((answer, refuse) => {
    if (!waiting.length) setTimeout(fetchTogether, GATHER_MILLISECONDS);
    waiting.push({ url, options, answer, refuse });
    options.signal?.addEventListener("abort", () => refuse(options.signal.reason));
  });
}

async function fetchTogether() {
  const batch = waiting;
  waiting = [];
  const fetchAlone = ({ url, options, answer }) => answer(fetch(url, options));
  if (batch.length === 1) return fetchAlone(batch[0]);
  const query = new URLSearchParams(batch.map(({ url }) => ["at", url]));
  try {
    const { signal, ...options } = batch[0].options;
    const response = await fetch(`${address}?${query}`, options);
    if (!response.ok) return batch.map(fetchAlone); // each one handles its own error
    const pieces = await response.json();
    batch.forEach((item, index) => {
      if (pieces[index] === null) fetchAlone(item);
      else item.answer(new Response(pieces[index], { status: 200 }));
    });
  } catch (error) {
    for (const { refuse } of batch) refuse(error);
  }
}
