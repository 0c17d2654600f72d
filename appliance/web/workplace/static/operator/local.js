// The copy of a form in this browser, kept until the server has acknowledged the same values.

import { serverNow } from "./clock.js";

const keyPrefix = (login) => `form:${login}:`;

// `savedAt`: when the server last stored the form. The new copy counts as newer than that and
// than the previous copy, which an earlier page may have sent, whatever the clocks say. `base`:
// the values on the server at that time.
export function storeLocalCopy(login, token, values, form, { savedAt = 0, base } = {}) {
  const previousAt = localCopy(login, token)?.at ?? 0;
  const at = Math.max(serverNow(), previousAt + 1, Date.parse(savedAt || 0) + 1);
  localStorage.setItem(keyPrefix(login) + token, JSON.stringify({ values, form, at, base }));
}

// With `values`, only if the copy has these values: another form of the call may have been filled in since.
export function removeLocalCopy(login, token, values = null) {
  const copy = localCopy(login, token);
  if (values && JSON.stringify(copy?.values) !== JSON.stringify(values)) return;
  localStorage.removeItem(keyPrefix(login) + token);
}

export function localCopy(login, token) {
  const text = localStorage.getItem(keyPrefix(login) + token);
  return text ? JSON.parse(text) : null;
}

// The tokens of the forms that this browser still stores for the operator.
export function storedTokens(login) {
  return Object.keys(localStorage)
    .filter((key) => key.startsWith(keyPrefix(login)))
    .map((key) => key.slice(keyPrefix(login).length));
}
