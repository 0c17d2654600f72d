// Which fields of a form are asked: what is asked of a person is not asked of a legal entity, and
// some only about certain directions.

export function showAsked(form) {
  const { applicant_kind: kind, direction } = form.elements;
  const asked = ({ only, topics }) =>
    (!only || only === (kind?.value || "person")) && (!topics || topics.split(" ").includes(direction?.value));
  for (const field of form.querySelectorAll("[data-only], [data-topics]")) field.hidden = !asked(field.dataset);
}
