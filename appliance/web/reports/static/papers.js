// A file that takes seconds to make: its button says so, and the page remains usable.
//   data-making="text"   on the submit button of a form that downloads a file
//   data-making-state    shows the progress: data-busy, data-failed
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.dataset.making) return;
  event.preventDefault();
  if (button.getAttribute("aria-busy") === "true") return;
  makeFile(button, event.target);
});

async function makeFile(button, form) {
  const address = new URL(button.formAction);
  address.search = new URLSearchParams(new FormData(form));
  const label = [...button.childNodes];
  const state = document.querySelector("[data-making-state]");
  button.setAttribute("aria-busy", "true");
  button.setAttribute("aria-disabled", "true"); // not disabled: that would lose the focus
  button.replaceChildren(button.dataset.making);
  state.textContent = state.dataset.busy;
  try {
    await download(address);
    state.textContent = "";
  } catch {
    state.textContent = state.dataset.failed; // the button remains for another attempt
  }
  button.replaceChildren(...label);
  button.removeAttribute("aria-busy");
  button.removeAttribute("aria-disabled");
}

async function download(address) {
  const answer = await fetch(address);
  const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1];
  document.dispatchEvent(new CustomEvent("trouble", { detail: answer.status }));
  if (!answer.ok || !name) throw new Error(`${answer.status}`); // signed out: the answer is a page, not a file
  const file = URL.createObjectURL(await answer.blob());
  const link = document.createElement("a");
  link.href = file;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(file), 60_000);
}
