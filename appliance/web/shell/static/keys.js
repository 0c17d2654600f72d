// Shortcut keys of the pages, as named in shell/shortcuts.py. A control with data-key="F4",
// "Alt+T" or "J" is clicked; a field gets the focus. If several match, the one in the form
// being typed in is used, otherwise the visible one: a control in a closed menu may be
// outdated. Actions without a control are done by a script: act("next_row", …).

const scriptActions = new Map(); // action name → the function that performs it
const sheet = () => document.getElementById("shortcuts");
const NAMES = { NumpadEnter: "Enter", Slash: "/" };
const FIELDS = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]";

export function act(name, run) {
  scriptActions.set(name, run);
}

// Users of speech input, or who press keys by accident, can turn single-character shortcuts off
// (WCAG 2.1.4).
export const lettersAct = () => localStorage.getItem("letters") !== "off";
export const letLettersAct = (on) => localStorage.setItem("letters", on ? "on" : "off");

// By position on the keyboard: Alt+T is the same key in a Cyrillic layout.
const nameOf = ({ code }) => NAMES[code] ?? code.replace(/^Key|^Digit/, "");

function keyOf(event) {
  const { ctrlKey, altKey, metaKey, shiftKey, key } = event;
  if (!ctrlKey && !altKey && !metaKey && (key === "?" || (shiftKey && event.code === "Slash"))) return "?";
  return [ctrlKey && "Ctrl", altKey && "Alt", metaKey && "Meta", nameOf(event)].filter(Boolean).join("+");
}

const rowOf = (key) => sheet()?.querySelector(`[data-action][data-keys~="${CSS.escape(key)}"]`);

// The control for a key, or for only one action of the key.
function controlOf(key, { from, action } = {}) {
  const candidates = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]:not(:disabled)`)].filter(
    (control) => !action || ((control.dataset.does ?? action) === action && !control.closest("[hidden]")),
  );
  const form = from?.closest("form");
  return (
    (form && candidates.find((control) => control.form === form)) ??
    candidates.find((control) => control.checkVisibility({ visibilityProperty: true })) ??
    candidates[0]
  );
}

// What performs one of the actions of the shortcut sheet now: a control of the page or a
// script; null if nothing does.
export function actionFor({ dataset: { action, keys } }) {
  if (scriptActions.has(action)) return scriptActions.get(action);
  const control = keys.split(" ").reduce((match, key) => match ?? controlOf(key, { action }), undefined);
  return control ? () => activate(control) : null;
}

function activate(control) {
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
  const key = keyOf(event);
  const run = scriptActions.get(rowOf(key)?.dataset.action);
  if (key.length === 1 && (!lettersAct() || event.target.matches(FIELDS))) return; // a letter that is typed as text
  if (event.repeat && !(run && /^[A-Z]$/.test(key))) return; // moves from row to row
  if (document.querySelector("#cover[open]")) return;
  if (document.querySelector("dialog:modal") && !event.target.closest("dialog:modal")) return;
  const control = run ? null : controlOf(key, { from: event.target });
  if (!run && !control) return;
  event.preventDefault();
  if (run) return run();
  for (const open of document.querySelectorAll("dialog[data-light][open]")) open.close(); // dismisses them
  activate(control);
});
