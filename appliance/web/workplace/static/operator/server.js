// Requests to the server and their outcome: connection lost, session over, refused, or an answer.

import { formToken, renewToken } from "../token.js";

export class LinkLost extends Error {}
export class SessionOver extends Error {}
export class Refused extends Error {} // its message is the HTTP status

// POSTs values as JSON; returns the JSON of the answer with its HTTP status as `status`. 409 is
// a valid answer too: the form was already registered.
export async function post(url, values, { keepalive = false } = {}) {
  const send = () =>
    request(url, {
      method: "POST",
      keepalive,
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": formToken() },
      body: JSON.stringify(values),
    });
  const response = await send().catch(async (error) => {
    // The user may have signed in again in another tab: what they asked for is done in that session.
    if (error instanceof SessionOver && (await renewToken().catch(() => false))) return send();
    throw error;
  });
  return { ...(await response.json()), status: response.status };
}

export async function getPage(url) {
  return (await request(url, {})).text();
}

export const TIMEOUT_MILLISECONDS = 10_000; // a server that hangs counts as a lost connection

async function request(url, options) {
  let response;
  try {
    response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS), ...options });
  } catch {
    throw new LinkLost();
  }
  // A redirect leads to the sign-in page; 400 means the CSRF token of an earlier session.
  if (response.type === "opaqueredirect" || [400, 401].includes(response.status)) throw new SessionOver();
  if (response.status >= 500) throw new LinkLost();
  if (!response.ok && response.status !== 409) throw new Refused(response.status);
  return response;
}
