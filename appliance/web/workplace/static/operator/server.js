// Asking the server, and what its silence means: link lost, session over, refused, or an answer.

export class LinkLost extends Error {}
export class SessionOver extends Error {}
export class Refused extends Error {} // its message is the HTTP status

const csrfToken = () => document.querySelector("meta[name=csrf-token]").content;

// POSTs values as JSON; returns the answer's JSON with its status as `status`. 409 is an answer
// too: the form was registered before.
export async function post(url, values, { keepalive = false } = {}) {
  const response = await ask(url, {
    method: "POST",
    keepalive,
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify(values),
  });
  return { ...(await response.json()), status: response.status };
}

export async function getPage(url) {
  return (await ask(url, {})).text();
}

export const PATIENCE = 10_000; // milliseconds; a server that hangs is a link lost

async function ask(url, options) {
  let response;
  try {
    response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(PATIENCE), ...options });
  } catch {
    throw new LinkLost();
  }
  // A redirect leads to the sign-in page; 400 is a form's key of an earlier session.
  if (response.type === "opaqueredirect" || [400, 401].includes(response.status)) throw new SessionOver();
  if (response.status >= 500) throw new LinkLost();
  if (!response.ok && response.status !== 409) throw new Refused(response.status);
  return response;
}
