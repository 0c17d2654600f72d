// The ministry's pages: choosing a filter shows its list; keys of the list and of the answer.
//   data-choose   a field of the filters that sends them when it changes

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-choose]")) target.form.requestSubmit();
});

const rows = () => [...document.querySelectorAll("#appeals tbody tr")];

// Gives the focus to the row `by` places away from the one that has it.
function move(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = Math.min(Math.max(at + by, 0), all.length - 1);
  all[next].querySelector(".rowlink").focus();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.ctrlKey) {
    event.target.closest("form")?.requestSubmit();
    return;
  }
  const typing = event.target.matches("input, textarea, select");
  if (typing || event.ctrlKey || event.altKey || event.metaKey) return;
  const search = document.getElementById("q");
  if (event.key === "/" && search) {
    event.preventDefault();
    search.select();
  } else if (event.key === "j" || event.key === "J") move(1);
  else if (event.key === "k" || event.key === "K") move(-1);
});
