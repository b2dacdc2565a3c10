// A place in time that is dragged, or nudged by the arrow keys: a slider as assistive technology knows it.
import { timeWords } from "./time.js";

/** What a key moves by, in seconds; null for other keys. */
function nudgeOf(event, step) {
  const size = event.shiftKey ? step * 10 : step;
  switch (event.key) {
    case "ArrowLeft": case "ArrowDown": return -size;
    case "ArrowRight": case "ArrowUp": return size;
    case "PageDown": return -step * 100;
    case "PageUp": return step * 100;
    case "Home": return -Infinity;
    case "End": return Infinity;
    default: return null;
  }
}

/**
 * Make `element` a handle. `read` tells {value, min, max}; `timeOf(clientX)` what time is under a pointer, in the same
 * terms; `onMove` gets each new value, `onEnd` is called when the hand or the key lets go.
 */
export function makeHandle(element, { label, step = 0.01, read, timeOf, onMove, onEnd = () => {} }) {
  let grip = null;

  const move = (value) => {
    const { min, max } = read();
    onMove(Math.min(Math.max(value, min), Math.max(min, max)));
  };
  element.setAttribute("role", "slider");
  element.tabIndex = 0;

  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.stopPropagation();
    event.preventDefault(); // no text is selected on the way
    element.focus({ preventScroll: true });
    element.setPointerCapture(event.pointerId);
    grip = timeOf(event.clientX) - read().value;
  });
  element.addEventListener("pointermove", (event) => grip !== null && move(timeOf(event.clientX) - grip));
  for (const kind of ["pointerup", "pointercancel"]) {
    element.addEventListener(kind, () => {
      if (grip !== null) onEnd();
      grip = null;
    });
  }
  element.addEventListener("keydown", (event) => {
    const by = nudgeOf(event, step);
    if (by === null || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    move(read().value + by);
  });
  element.addEventListener("keyup", (event) => nudgeOf(event, step) !== null && onEnd());

  /** Tell assistive technology where it stands. */
  return function show() {
    const { value, min, max } = read();
    for (const [name, text] of [["label", label()], ["valuenow", value], ["valuemin", min], ["valuemax", max], ["valuetext", timeWords(value)]]) {
      element.setAttribute(`aria-${name}`, String(text));
    }
  };
}
