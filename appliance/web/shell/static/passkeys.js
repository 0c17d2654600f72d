// Passkeys: a button with data-passkey ("create" or "get") makes the browser create or use one.
// The options come from data-ask; the key's answer is sent to data-to, which returns the
// address to go to next.

import { formToken } from "./token.js";

async function send(url, body) {
  const headers = { "X-CSRFToken": formToken(), "Content-Type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}

for (const button of document.querySelectorAll("[data-passkey]")) {
  const isSupported = window.PublicKeyCredential?.parseCreationOptionsFromJSON;
  button.hidden = !isSupported;
  button.addEventListener("click", async () => {
    const failureNote = document.getElementById("passkey-failed");
    failureNote.hidden = true;
    button.disabled = true;
    try {
      const options = await send(button.dataset.ask, {});
      const credential =
        button.dataset.passkey === "create"
          ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
          : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
      const { there } = await send(button.dataset.to, credential.toJSON());
      location.assign(there);
    } catch {
      failureNote.hidden = false; // refused by the user, the key or the server
    }
    button.disabled = false;
  });
}
