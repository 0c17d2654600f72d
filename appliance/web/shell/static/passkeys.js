// Passkeys: a button with data-passkey ("create" or "get") has the browser make or use one. What it needs comes from
// data-ask, what the key says goes to data-to, whose answer tells where to go on.

async function send(url, body) {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  const headers = { "X-CSRFToken": token, "Content-Type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}

for (const button of document.querySelectorAll("[data-passkey]")) {
  const can = window.PublicKeyCredential?.parseCreationOptionsFromJSON;
  button.hidden = !can;
  button.addEventListener("click", async () => {
    const failed = document.getElementById("passkey-failed");
    failed.hidden = true;
    button.disabled = true;
    try {
      const asked = await send(button.dataset.ask, {});
      const made =
        button.dataset.passkey === "create"
          ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) })
          : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) });
      const { there } = await send(button.dataset.to, made.toJSON());
      location.assign(there);
    } catch {
      failed.hidden = false; // refused by the person, the key or the server
    }
    button.disabled = false;
  });
}
