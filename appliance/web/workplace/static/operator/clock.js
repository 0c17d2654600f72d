// The server's time, from which this computer's clock may differ by minutes. The page contains
// the time at which it was served; its scripts may have started seconds later.

const [{ responseStart }] = performance.getEntriesByType("navigation");
const serverAhead =
  Date.parse(document.querySelector("meta[name=now]").content) - (performance.timeOrigin + responseStart);

// Milliseconds since 1970.
export const serverNow = () => Date.now() + serverAhead;
