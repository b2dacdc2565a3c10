// The keyboard: what works everywhere on the page, and what works on the waveform alone.

const WRITES = "input:not([type=range], [type=checkbox], [type=radio]), select, textarea";
const PRESSES = "button, a, summary, input";

/** A field in which something was written that is not taken over yet undoes that by itself. */
const isWriting = (target) => target.matches(WRITES) && target.value !== target.defaultValue;

/** `does` maps names to what happens; `wave` is where single letters count. */
export function listenToKeys(wave, does) {
  addEventListener("keydown", (event) => {
    const { target } = event;
    if (event.defaultPrevented || !(target instanceof Element) || target.closest("dialog")) return;
    const act = event.ctrlKey || event.metaKey ? commandOf(event) : keyOf(event, target, wave.contains(target));
    if (!act) return;
    event.preventDefault();
    does[act]();
  });
}

function commandOf(event) {
  const key = event.key.toLowerCase();
  if (isWriting(event.target) || event.altKey) return null;
  if (key === "z") return event.shiftKey ? "redo" : "undo";
  return key === "y" ? "redo" : null;
}

function keyOf(event, target, isOnWave) {
  if (event.altKey || target.matches(WRITES)) return null;
  if (event.key === " " && !target.matches(PRESSES)) return "toggle";
  if (event.key === "Delete" || event.key === "Backspace") return "remove";
  if (!isOnWave || target.matches("button")) return null;
  return { i: "markIn", o: "markOut", s: "split", Enter: "add", Escape: "unmark", "+": "closer", "=": "closer", "-": "farther", 0: "fit" }[event.key] ?? null;
}
