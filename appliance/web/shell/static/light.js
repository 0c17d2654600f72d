// Dialogs that lie over a page and stop nothing: a call that rings meanwhile is seen, heard of and answered.
// Esc, a click beside it and leaving it by Tab close it; the focus goes back to where it was.

export function lightDialog(dialog) {
  let before = null; // what had the focus

  dialog.addEventListener("keydown", (event) => {
    if (event.code !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    dialog.close();
  });
  dialog.addEventListener("focusout", ({ relatedTarget }) => {
    if (!relatedTarget || dialog.contains(relatedTarget)) return;
    before = null; // it is elsewhere already
    dialog.close();
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (dialog.open && !dialog.contains(target)) dialog.close();
  });
  dialog.addEventListener("close", () => {
    if (before?.isConnected && !document.activeElement?.matches("input, textarea")) before.focus();
  });

  return (first) => {
    if (dialog.open) return dialog.close();
    before = document.activeElement;
    dialog.show();
    first.focus();
  };
}
