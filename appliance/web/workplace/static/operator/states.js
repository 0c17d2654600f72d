// The menu of the operator's state: each choice has one key, and the focus returns to where it was.

const isMenu = (element) => element.id === "state-menu";
const nameOf = (event) => event.code.replace(/^(Digit|Numpad)/, ""); // by position: the same in every keyboard layout
let previousFocus = null; // the element that had the focus

export function listenToState() {
  document.addEventListener("click", openMenu);
  // no bubbling
  document.addEventListener("toggle", ({ target }) => isMenu(target) && !target.open && closeMenu(target), true);
  document.addEventListener("keydown", pickState);
}

// Opens at once: a user who presses both keys quickly chooses with the second one, and sections
// fetched in the meantime do not change the menu while it is used.
function openMenu(event) {
  const menu = event.target.closest("#state-menu > summary")?.parentElement;
  if (!menu || menu.open) return;
  event.preventDefault();
  previousFocus = document.activeElement;
  menu.setAttribute("hx-morph-skip", "");
  menu.open = true;
  menu.querySelector("[data-pick]")?.focus();
}

function closeMenu(menu) {
  menu.removeAttribute("hx-morph-skip");
  const { activeElement, body } = document;
  if (activeElement === body || menu.contains(activeElement)) previousFocus?.focus();
  menu.parentElement.dispatchEvent(new Event("live")); // fetches the changes that were missed while it was open
}

function pickState(event) {
  const menu = document.querySelector("#state-menu[open]");
  if (!menu?.contains(event.target) || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const button = menu.querySelector(`[data-pick="${CSS.escape(nameOf(event))}"]`);
  if (!button) return;
  event.preventDefault();
  button.click();
}
