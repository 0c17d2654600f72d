// Keys of the pages, as shell/shortcuts.py names them. A control that carries data-key="F4", "Alt+T" or "J" is clicked,
// a field gets the focus. Of several it is the one in the form that is typed in, else the one that is seen: what stands
// in a closed menu may be older. What has no control a script does: act("next_row", …).

const does = new Map(); // name of an action → what does it
const sheet = () => document.getElementById("shortcuts");
const NAMES = { NumpadEnter: "Enter", Slash: "/" };
const FIELDS = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]";

export function act(name, run) {
  does.set(name, run);
}

// Whoever speaks to the computer, or strikes keys by chance, lets letters and signs do nothing (WCAG 2.1.4).
export const lettersAct = () => localStorage.getItem("letters") !== "off";
export const letLettersAct = (on) => localStorage.setItem("letters", on ? "on" : "off");

// By its place on the keyboard: Alt+T is the same key under a Cyrillic layout.
const nameOf = ({ code }) => NAMES[code] ?? code.replace(/^Key|^Digit/, "");

function pressed(event) {
  const { ctrlKey, altKey, metaKey, shiftKey, key } = event;
  if (!ctrlKey && !altKey && !metaKey && (key === "?" || (shiftKey && event.code === "Slash"))) return "?";
  return [ctrlKey && "Ctrl", altKey && "Alt", metaKey && "Meta", nameOf(event)].filter(Boolean).join("+");
}

const rowOf = (key) => sheet()?.querySelector(`[data-action][data-keys~="${CSS.escape(key)}"]`);

// The control of a key, or only that of one action of the key.
function controlOf(key, { from, action } = {}) {
  const found = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]:not(:disabled)`)].filter(
    (one) => !action || ((one.dataset.does ?? action) === action && !one.closest("[hidden]")),
  );
  const beside = from?.closest("form");
  return (
    (beside && found.find((one) => one.form === beside)) ??
    found.find((one) => one.checkVisibility({ visibilityProperty: true })) ??
    found[0]
  );
}

// What does one of the actions of the sheet at this moment: a control of the page or a script; null for none.
export function doing({ dataset: { action, keys } }) {
  if (does.has(action)) return does.get(action);
  const control = keys.split(" ").reduce((found, key) => found ?? controlOf(key, { action }), undefined);
  return control ? () => use(control) : null;
}

function use(control) {
  if (control.matches("input:not([type=checkbox]), textarea")) {
    control.focus();
    if (control.type === "search") control.select();
    return;
  }
  if (control.matches("[type=checkbox]")) control.focus();
  control.click();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.getModifierState("AltGraph")) return;
  const key = pressed(event);
  const run = does.get(rowOf(key)?.dataset.action);
  if (key.length === 1 && (!lettersAct() || event.target.matches(FIELDS))) return; // a letter that is typed
  if (event.repeat && !(run && /^[A-Z]$/.test(key))) return; // from row to row
  if (document.querySelector("#cover[open]")) return;
  if (document.querySelector("dialog:modal") && !event.target.closest("dialog:modal")) return;
  const control = run ? null : controlOf(key, { from: event.target });
  if (!run && !control) return;
  event.preventDefault();
  if (run) return run();
  for (const open of document.querySelectorAll("dialog[data-light][open]")) open.close(); // they make way
  use(control);
});
