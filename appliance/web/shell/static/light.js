// Non-modal dialogs: a call that rings while one is open is visible, audible and can be
// answered. Esc, a click outside it and leaving it by Tab close it; the focus returns to where
// it was.

export function lightDialog(dialog) {
  let previousFocus = null; // the element that had the focus

  dialog.addEventListener("keydown", (event) => {
    if (event.code !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    dialog.close();
  });
  dialog.addEventListener("focusout", ({ relatedTarget }) => {
    if (!relatedTarget || dialog.contains(relatedTarget)) return;
    previousFocus = null; // the focus has already moved elsewhere
    dialog.close();
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (dialog.open && !dialog.contains(target)) dialog.close();
  });
  dialog.addEventListener("close", () => {
    if (previousFocus?.isConnected && !document.activeElement?.matches("input, textarea")) previousFocus.focus();
  });

  return (first) => {
    if (dialog.open) return dialog.close();
    previousFocus = document.activeElement;
    dialog.show();
    first.focus();
  };
}
