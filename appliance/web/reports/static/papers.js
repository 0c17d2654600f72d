// A file that takes seconds to be made: its button says so, and the page goes on.
//   data-making="text"   on the submit button of a form that gets a file
//   data-making-state    says how it goes: data-busy, data-failed
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.dataset.making) return;
  event.preventDefault();
  if (button.getAttribute("aria-busy") === "true") return;
  make(button, event.target);
});

async function make(button, form) {
  const address = new URL(button.formAction);
  address.search = new URLSearchParams(new FormData(form));
  const label = [...button.childNodes];
  const state = document.querySelector("[data-making-state]");
  button.setAttribute("aria-busy", "true");
  button.setAttribute("aria-disabled", "true"); // not disabled: the focus stays
  button.replaceChildren(button.dataset.making);
  state.textContent = state.dataset.busy;
  try {
    await take(address);
    state.textContent = "";
  } catch {
    state.textContent = state.dataset.failed; // the button is there to try again
  }
  button.replaceChildren(...label);
  button.removeAttribute("aria-busy");
  button.removeAttribute("aria-disabled");
}

async function take(address) {
  const answer = await fetch(address);
  const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1];
  document.dispatchEvent(new CustomEvent("trouble", { detail: answer.status }));
  if (!answer.ok || !name) throw new Error(`${answer.status}`); // signed out: a page, no file
  const file = URL.createObjectURL(await answer.blob());
  const link = document.createElement("a");
  link.href = file;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(file), 60_000);
}
