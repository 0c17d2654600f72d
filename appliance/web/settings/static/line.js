// The diagram of a call: data-play plays a prompt, one at a time; data-trial is a form whose
// answer takes a while.
const sound = new Audio();
let activeButton;

function stop() {
  sound.pause();
  activeButton?.setAttribute("aria-pressed", "false");
  activeButton = undefined;
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-play]");
  if (!button) return;
  const isSameButton = button === activeButton;
  stop();
  if (isSameButton) return;
  activeButton = button;
  button.setAttribute("aria-pressed", "true");
  sound.src = button.dataset.play;
  sound.play().catch(stop);
});
sound.addEventListener("ended", stop);

document.querySelector("[data-trial]")?.addEventListener("submit", ({ target }) => {
  const state = document.querySelector("[data-trial-state]");
  state.textContent = state.dataset.busy;
  target.querySelector("[type=submit]").disabled = true;
});
addEventListener("pageshow", () => {
  const button = document.querySelector("[data-trial] [type=submit]");
  if (button) button.disabled = false;
});
document.querySelector("#road")?.focus();
