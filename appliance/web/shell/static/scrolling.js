// Panels that scroll sideways can be reached and moved by the keyboard, and only while they scroll.
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
    const area = target.closest(AREAS); // none: a live section has replaced it
    if (area) mark(area);
  }
});

// What a live section brings is watched too, and what it overwrote is marked again.
function look() {
  for (const area of document.querySelectorAll(AREAS)) {
    watch.observe(area);
    if (area.firstElementChild) watch.observe(area.firstElementChild);
    mark(area);
  }
}

look();
document.addEventListener("htmx:after:swap", look);
