// Makes panels that scroll sideways focusable and operable by the keyboard, but only while they
// scroll.
const AREAS = ".panel-body.flush, .panel-body.wide, .panel-body:has(> .heat, > .e1, > .strip)";

function mark(area) {
  const scrolls = area.scrollWidth > area.clientWidth;
  if (scrolls) {
    const title = area.closest("section, main")?.getAttribute("aria-labelledby");
    area.tabIndex = 0;
    area.setAttribute("role", "group");
    if (title) area.setAttribute("aria-labelledby", title);
  } else if (area.hasAttribute("tabindex")) {
    for (const name of ["tabindex", "role", "aria-labelledby"]) area.removeAttribute(name);
  }
}

const watch = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const area = target.closest(AREAS); // absent: a live section has replaced it
    if (area) mark(area);
  }
});

// Elements that a live section brings are watched too, and overwritten marks are set again.
function watchAreas() {
  for (const area of document.querySelectorAll(AREAS)) {
    watch.observe(area);
    if (area.firstElementChild) watch.observe(area.firstElementChild);
    mark(area);
  }
}

watchAreas();
document.addEventListener("htmx:after:swap", watchAreas);
