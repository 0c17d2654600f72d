// The server's time, which this computer's clock may miss by minutes.

const ahead = Date.parse(document.querySelector("meta[name=now]").content) - Date.now();

// Milliseconds since 1970.
export const serverNow = () => Date.now() + ahead;
