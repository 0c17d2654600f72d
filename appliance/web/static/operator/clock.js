// The server's time, which this computer's clock may miss by minutes.

let ahead = 0; // milliseconds

export const serverNow = () => Date.now() + ahead;

export function setServerTime(iso) {
  ahead = Date.parse(iso) - Date.now();
}
