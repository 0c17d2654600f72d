// The picture of a call: data-play plays a prompt, one at a time; data-trial is a form whose answer
// takes a while.
const sound = new Audio();
let playing;

function stop() {
  sound.pause();
  playing?.setAttribute("aria-pressed", "false");
  playing = undefined;
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-play]");
  if (!button) return;
  const again = button === playing;
  stop();
  if (again) return;
  playing = button;
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
