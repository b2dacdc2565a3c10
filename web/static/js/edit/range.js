// The marked range in exact times, and what can be done with it.
import { readTime, timeWords } from "./time.js";

/** `root` holds the fields and the buttons; `onMark` gets a range that was written. Returns `show(range, duration)`. */
export function makeRange(root, onMark) {
  const fields = { from: root.querySelector("[data-range-from]"), to: root.querySelector("[data-range-to]") };
  const length = root.querySelector("[data-range-length]");
  let range = null;
  let duration = 0;

  function fill() {
    for (const [edge, field] of Object.entries(fields)) field.value = field.defaultValue = range ? timeWords(range[edge]) : "";
    length.textContent = range ? `${timeWords(range.to - range.from)} long` : "";
    for (const button of root.querySelectorAll("[data-range-act]")) button.disabled = !range;
  }
  for (const [edge, field] of Object.entries(fields)) {
    field.addEventListener("change", () => {
      const written = readTime(field.value);
      const next = { from: 0, to: duration, ...range, [edge]: Math.min(written ?? NaN, duration) };
      if (next.to > next.from) onMark(next);
      else fill();
    });
  }
  return function show(next, seconds) {
    range = next;
    duration = seconds;
    fill();
  };
}

/** The range with one edge at a time; null when nothing would be left of it. */
export function withEdge(range, edge, at, duration) {
  const { from, to } = range ?? { from: 0, to: duration };
  const next = edge === "from" ? { from: at, to: to > at ? to : duration } : { from: from < at ? from : 0, to: at };
  return next.to > next.from ? next : null;
}
