// Plays the chosen sound and lets an analyser hear it. A file never leaves the browser for that.
import { clockWords } from "../words.js";

/** Wires the player's buttons. `onChange` is called when playing starts, stops or jumps. */
export function makePlayer(root, onChange) {
  const audio = new Audio();
  const button = root.querySelector("[data-play]");
  const seek = root.querySelector("[data-seek]");
  const time = root.querySelector("[data-time]");
  let analyser = null;
  let address = null;

  audio.preload = "metadata";
  audio.crossOrigin = "anonymous"; // the analyser may only hear a sound in a bucket if the bucket lets this page

  function hear() {
    if (analyser) return;
    const context = new AudioContext();
    analyser = new AnalyserNode(context, { fftSize: 2048, smoothingTimeConstant: 0 });
    context.createMediaElementSource(audio).connect(analyser).connect(context.destination);
  }

  async function toggle() {
    if (!address) return;
    if (!audio.paused) {
      audio.pause();
      return;
    }
    hear();
    await analyser.context.resume();
    await audio.play().catch(() => root.dispatchEvent(new CustomEvent("unplayable")));
  }

  function show() {
    const length = Number.isFinite(audio.duration) ? audio.duration : 0;
    seek.max = String(length || 1);
    seek.value = String(audio.currentTime);
    seek.setAttribute("aria-valuetext", `${clockWords(audio.currentTime)} of ${clockWords(length)}`);
    time.textContent = `${clockWords(audio.currentTime)} / ${clockWords(length)}`;
    button.toggleAttribute("data-playing", !audio.paused);
    button.setAttribute("aria-label", audio.paused ? "Play the preview" : "Pause the preview");
  }

  /** Play this from now on: a file, or the sound at an address. */
  function load(source) {
    audio.pause();
    if (address?.startsWith("blob:")) URL.revokeObjectURL(address);
    address = source instanceof File ? URL.createObjectURL(source) : source;
    audio.src = address;
    show();
  }

  button.addEventListener("click", toggle);
  seek.addEventListener("input", () => {
    audio.currentTime = Number(seek.value);
  });
  for (const kind of ["play", "pause", "ended", "seeked", "loadedmetadata", "durationchange"]) {
    audio.addEventListener(kind, () => {
      show();
      onChange();
    });
  }
  audio.addEventListener("timeupdate", show);
  audio.addEventListener("error", () => address && root.dispatchEvent(new CustomEvent("unplayable")));

  return {
    load,
    toggle,
    isPlaying: () => !audio.paused && !audio.ended,
    seconds: () => audio.currentTime,
    analyser: () => analyser,
  };
}
