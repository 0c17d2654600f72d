// Whom the form tells of, and which open appeals may be of the same matter: fetched when it tells of another.

const PIECES = ["person", "alike"];

// `key` is what the server recognised in what it has just saved.
export function recognise(key) {
  for (const piece of PIECES.map((id) => document.getElementById(id))) {
    if (piece && piece.dataset.recognised !== key) piece.dispatchEvent(new Event("live"));
  }
}

// Adds what `form()` holds to the appeal that is shown, in place of registering another one.
export function listenToAdditions(form) {
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("[data-add]");
    if (!button) return;
    const trouble = await form().register({ appeal: button.dataset.add }, button.dataset.to);
    const place = button.parentElement.querySelector("[data-trouble]");
    place.textContent = trouble;
    place.hidden = !trouble;
    if (trouble) document.getElementById("f-gist")?.focus();
  });
}
