// The server's time, which this computer's clock may miss by minutes. The page told it when it came; its scripts may have
// begun seconds later.

const [{ responseStart }] = performance.getEntriesByType("navigation");
const ahead = Date.parse(document.querySelector("meta[name=now]").content) - (performance.timeOrigin + responseStart);

// Milliseconds since 1970.
export const serverNow = () => Date.now() + ahead;
