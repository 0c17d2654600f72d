// The copy of a form in this browser, kept until the server has acknowledged the same values.

import { serverNow } from "./clock.js";

const prefix = (login) => `form:${login}:`;

// `savedAt`: when the server had the form last. What is kept now is newer than that and than what was kept before, which the
// page before may have sent, whatever the clocks say. `base`: what the server had then.
export function keepLocally(login, token, values, form, { savedAt = 0, base } = {}) {
  const before = keptLocally(login, token)?.at ?? 0;
  const at = Math.max(serverNow(), before + 1, Date.parse(savedAt || 0) + 1);
  localStorage.setItem(prefix(login) + token, JSON.stringify({ values, form, at, base }));
}

// With `values` only if it holds these: another form of the call may have been typed in since.
export function forgetLocally(login, token, values = null) {
  const kept = keptLocally(login, token);
  if (values && JSON.stringify(kept?.values) !== JSON.stringify(values)) return;
  localStorage.removeItem(prefix(login) + token);
}

export function keptLocally(login, token) {
  const text = localStorage.getItem(prefix(login) + token);
  return text ? JSON.parse(text) : null;
}

// The names of the forms that this browser still holds for the operator.
export function tokensKept(login) {
  return Object.keys(localStorage)
    .filter((key) => key.startsWith(prefix(login)))
    .map((key) => key.slice(prefix(login).length));
}
