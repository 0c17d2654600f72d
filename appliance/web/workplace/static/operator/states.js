// The switch of the operator's state: its menu is chosen from by one key each, and the focus goes back to where it was.

const isMenu = (element) => element.id === "state-menu";
const nameOf = (event) => event.code.replace(/^(Digit|Numpad)/, ""); // by place: the same in every layout
let before = null; // what had the focus

export function listenToState() {
  document.addEventListener("click", pressed);
  document.addEventListener("toggle", ({ target }) => isMenu(target) && !target.open && shut(target), true); // no bubbling
  document.addEventListener("keydown", chosen);
}

// It opens at once: whoever strikes both keys quickly chooses with the second one, and nothing that is fetched meanwhile
// changes it under the hand.
function pressed(event) {
  const menu = event.target.closest("#state-menu > summary")?.parentElement;
  if (!menu || menu.open) return;
  event.preventDefault();
  before = document.activeElement;
  menu.setAttribute("hx-morph-skip", "");
  menu.open = true;
  menu.querySelector("[data-pick]")?.focus();
}

function shut(menu) {
  menu.removeAttribute("hx-morph-skip");
  const { activeElement, body } = document;
  if (activeElement === body || menu.contains(activeElement)) before?.focus();
  menu.parentElement.dispatchEvent(new Event("live")); // what was missed meanwhile
}

function chosen(event) {
  const menu = document.querySelector("#state-menu[open]");
  if (!menu?.contains(event.target) || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const button = menu.querySelector(`[data-pick="${CSS.escape(nameOf(event))}"]`);
  if (!button) return;
  event.preventDefault();
  button.click();
}
