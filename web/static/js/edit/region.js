// A clip on the waveform of its source: its number to choose it by, and when it is chosen, handles for its ends and fades.
import { makeHandle } from "./handle.js";
import { SHORTEST, fitFades, lengthOf } from "./recipe.js";
import { toMilliseconds } from "./time.js";

const part = (name) => {
  const made = document.createElement("div");
  made.className = name;
  return made;
};

/** The part of the source that a handle sets: how its value is read from a clip, and what a new value changes. */
const HANDLES = {
  start: {
    words: "starts",
    read: ({ startTime, endTime }) => ({ value: startTime, min: 0, max: endTime - SHORTEST }),
    change: (value) => ({ startTime: toMilliseconds(value) }),
  },
  end: {
    words: "ends",
    read: ({ startTime, endTime }, duration) => ({ value: endTime, min: startTime + SHORTEST, max: duration }),
    change: (value, clip, duration) => ({ endTime: value >= duration ? duration : toMilliseconds(value) }),
  },
  fadeIn: {
    words: "fade in",
    read: (clip) => ({ value: clip.fadeIn, min: 0, max: lengthOf(clip) - clip.fadeOut }),
    timeOf: (time, clip) => time - clip.startTime,
    change: (value) => ({ fadeIn: toMilliseconds(value) }),
  },
  fadeOut: {
    words: "fade out",
    read: (clip) => ({ value: clip.fadeOut, min: 0, max: lengthOf(clip) - clip.fadeIn }),
    timeOf: (time, clip) => clip.endTime - time,
    change: (value) => ({ fadeOut: toMilliseconds(value) }),
  },
};

/** `onChange(id, changes, gesture)` hears of each change, `onEnd` of the end of a gesture, `onChoose(id)` of a click. */
export function makeRegion({ view, timeOf, onChoose, onChange, onEnd }) {
  const element = part("region");
  const badge = Object.assign(document.createElement("button"), { type: "button", className: "region-number" });
  let clip = null;
  let number = 0;

  const shows = Object.entries(HANDLES).map(([name, rule]) => {
    const handle = part(`handle ${name}`);
    element.append(handle);
    return makeHandle(handle, {
      label: () => `Clip ${number} ${rule.words}`,
      read: () => rule.read(clip, view.duration),
      timeOf: (x) => (rule.timeOf ? rule.timeOf(timeOf(x), clip) : timeOf(x)),
      onMove: (value) => {
        const changed = fitFades({ ...clip, ...rule.change(value, clip, view.duration) });
        onChange(clip.id, changed, `${name} of ${clip.id}`);
      },
      onEnd,
    });
  });
  badge.addEventListener("click", () => onChoose(clip.id));
  badge.addEventListener("pointerdown", (event) => event.stopPropagation());
  element.append(badge);

  function show(next, place, isChosen) {
    clip = next;
    number = place + 1;
    element.classList.toggle("chosen", isChosen);
    badge.textContent = String(number);
    badge.setAttribute("aria-label", `Choose clip ${number}`);
    badge.setAttribute("aria-pressed", String(isChosen));
    const length = lengthOf(clip);
    element.style.left = `${100 * view.at(clip.startTime)}%`;
    element.style.width = `${(100 * length) / view.span()}%`;
    element.style.setProperty("--fade-in", `${length ? (100 * clip.fadeIn) / length : 0}%`);
    element.style.setProperty("--fade-out", `${length ? (100 * clip.fadeOut) / length : 0}%`);
    for (const showHandle of shows) showHandle();
  }
  return { element, show };
}
