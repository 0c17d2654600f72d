// The token against forgery that each form and request sends. The server refuses it once the session
// that it belongs to is over.

const meta = (name) => document.querySelector(`meta[name="${name}"]`);

export const formToken = () => meta("csrf-token").content;

// Takes over the token of the present session, if the person of this page has signed in to it: a page that
// outlived its session works again. Dispatches "signed-in" then; resolves to whether it did.
export async function renewToken() {
  const answer = await fetch("/login/token", { cache: "no-store" });
  if (answer.status === 423) document.dispatchEvent(new Event("locked"));
  if (answer.status !== 200 || answer.headers.get("X-Person") !== meta("person")?.content) return false;
  const token = await answer.text();
  meta("csrf-token").content = token;
  for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = token;
  document.dispatchEvent(new Event("signed-in"));
  return true;
}
