// The switch of the operator's state: its menu is chosen from by one key each, and the focus goes back to where it was.

const isMenu = (element) => element.id === "state-menu";
const nameOf = (event) => event.code.replace(/^(Digit|Numpad)/, ""); // by place: the same in every layout
let before = null; // what had the focus

export function listenToState() {
  document.addEventListener("click", ({ target }) => opens(target.closest?.("#state-menu > summary")), true);
  document.addEventListener("toggle", ({ target }) => isMenu(target) && turned(target), true); // it does not bubble
  document.addEventListener("keydown", chosen);
}

// `toggle` comes a moment later: what is fetched in between must not shut the menu.
function opens(summary) {
  summary?.parentElement.toggleAttribute("hx-morph-skip", !summary.parentElement.open);
}

function turned(menu) {
  menu.toggleAttribute("hx-morph-skip", menu.open); // nothing changes under the hand
  if (menu.open) {
    before = document.activeElement;
    menu.querySelector("[data-pick]")?.focus();
    return;
  }
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
