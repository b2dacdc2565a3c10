// Errors, each beside its field.

function placeOf(form, name) {
  return form.querySelector(`[data-problem="${CSS.escape(name)}"]`);
}

function fieldOf(form, name) {
  const field = form.elements.namedItem(name);
  return field instanceof RadioNodeList ? [...field].find((input) => input.checked) ?? field[0] : field;
}

export function clearProblems(form) {
  for (const place of form.querySelectorAll("[data-problem]")) place.hidden = true;
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
}

/** Show a refusal of the server: {message, details?}. The focus goes to the first field that is wrong. */
export function showProblems(form, { message, details = {} }) {
  clearProblems(form);
  let first = null;
  const rest = [];
  for (const [name, sentences] of Object.entries(details)) {
    const place = placeOf(form, name);
    if (!place) {
      rest.push(`${name} ${sentences.join("; ")}`);
      continue;
    }
    place.textContent = sentences.join("; ");
    place.hidden = false;
    const field = fieldOf(form, name);
    field?.setAttribute?.("aria-invalid", "true");
    first ??= field?.type === "hidden" ? place : field ?? place;
  }
  if (!first || rest.length > 0) {
    const place = placeOf(form, "form");
    place.textContent = rest.length > 0 ? rest.join(". ") : message;
    place.hidden = false;
    first ??= place;
  }
  if (first.dataset.problem) first.tabIndex = -1;
  first.focus({ preventScroll: true });
  const seen = first.dataset.problem ? first : placeOf(form, first.name) ?? first;
  seen.scrollIntoView({ block: "center", behavior: "smooth" });
}
