// The copy of a form in this browser, kept until the server has acknowledged the same values.

import { serverNow } from "./clock.js";

const prefix = (login) => `form:${login}:`;

export function keepLocally(login, token, values) {
  localStorage.setItem(prefix(login) + token, JSON.stringify({ values, at: serverNow() }));
}

export function forgetLocally(login, token) {
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
