// Region, district and mahalla: the wider place narrows the choices of the narrower one, and
// the narrower place fills in the wider one.

export const PLACES = ["region", "district", "mahalla"];

const textOf = (form, name) => form.elements[`${name}_text`];
const codeOf = (form, name) => form.elements[name];

export function scopeOf(form, name) {
  const wider = PLACES.slice(0, Math.max(0, PLACES.indexOf(name)));
  return Object.fromEntries(wider.map((place) => [place, codeOf(form, place)?.value ?? ""]));
}

export function placeChosen(form, name, option) {
  for (const [place, wider] of Object.entries(option.fills ?? {})) {
    if (!codeOf(form, place)) continue;
    codeOf(form, place).value = wider.code;
    textOf(form, place).value = wider.name;
  }
  // A listed place outside the wider one just chosen is no longer valid. A district's code
  // begins with its region's.
  if (name === "region" && !codeOf(form, "district")?.value.startsWith(option.code)) {
    empty(form, "district");
    empty(form, "mahalla");
  }
  if (name === "district") empty(form, "mahalla");
}

function empty(form, place) {
  if (!codeOf(form, place)?.value) return; // typed text stays
  codeOf(form, place).value = "";
  textOf(form, place).value = "";
}
