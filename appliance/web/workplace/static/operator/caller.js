// The person whom the form is about, and open appeals that may be about the same matter:
// fetched again when the person changes.

const PIECES = ["person", "alike"];

// `key` identifies the person whom the server recognised in the saved values.
export function recognise(key) {
  for (const piece of PIECES.map((id) => document.getElementById(id))) {
    if (piece && piece.dataset.recognised !== key) piece.dispatchEvent(new Event("live"));
  }
}

// Adds the values of `form()` to the displayed appeal instead of registering a new one.
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
