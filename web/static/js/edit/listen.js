// Hearing a source as it came in, from any place, to a place when it is a part.

/** Plays through `audio`. `onTime(seconds, isPlaying)` follows the sound, `onTrouble` hears that it cannot be played. */
export function makeListener(audio, { button, onTime, onTrouble }) {
  let until = Infinity;
  let duration = 0;
  let place = 0; // where it plays from, before the file is there

  function follow() {
    if (audio.paused) return;
    tell();
    if (place >= until) pause();
    else requestAnimationFrame(follow);
  }
  function tell() {
    place = audio.readyState > 0 ? audio.currentTime : place;
    onTime(place, !audio.paused);
  }
  function show() {
    button.toggleAttribute("data-playing", !audio.paused);
    button.setAttribute("aria-label", audio.paused ? "Play" : "Pause");
    tell();
  }
  function pause() {
    until = Infinity;
    audio.pause();
  }
  function play() {
    if (audio.ended || place >= duration) seek(0);
    audio.play().then(follow, (error) => error.name !== "AbortError" && onTrouble());
  }
  function seek(time) {
    place = time;
    until = Infinity;
    audio.currentTime = time;
    onTime(place, !audio.paused);
  }

  for (const kind of ["play", "pause", "ended", "seeked"]) audio.addEventListener(kind, show);
  audio.addEventListener("error", () => audio.getAttribute("src") && onTrouble());

  return {
    pause,
    seek,
    toggle: () => (audio.paused ? play() : pause()),
    place: () => place,
    /** Play from one time to another and stop there. */
    playPart(from, to) {
      seek(from);
      until = to;
      play();
    },
    /** Hear another sound from now on. */
    load(address, seconds) {
      if (audio.getAttribute("src") === address) return;
      pause();
      duration = seconds;
      place = 0;
      audio.src = address;
      onTime(0, false);
    },
  };
}
