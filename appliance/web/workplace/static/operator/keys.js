// Keys of controls: data-key="F4", "Alt+T", "Ctrl+Enter". The key clicks a control and focuses a field.
// Of several controls it is the one that is seen: what stands in a closed menu may be older.

const pressed = (event) => [event.ctrlKey && "Ctrl", event.altKey && "Alt", nameOf(event)].filter(Boolean).join("+");

// By its place on the keyboard: Alt+T is the same key under a Cyrillic layout.
const nameOf = (event) => event.code.replace(/^Key|^Digit/, "").replace("NumpadEnter", "Enter");

export function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.repeat || event.isComposing) return;
    const found = document.querySelectorAll(`[data-key="${CSS.escape(pressed(event))}"]:not(:disabled)`);
    const control = [...found].find((one) => one.checkVisibility()) ?? found[0];
    if (!control) return;
    event.preventDefault();
    if (control.matches("input, textarea")) control.focus();
    if (!control.matches("input:not([type=checkbox]), textarea")) control.click();
  });
}
