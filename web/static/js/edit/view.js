// Which part of a sound is in sight.

const SHORTEST = 0.4;

/** From `from` to `to` seconds of `duration`. `onChange` hears of every move. */
export function makeView(onChange) {
  let duration = 1;
  let from = 0;
  let to = 1;

  function set(start, span) {
    const kept = Math.min(duration, Math.max(Math.min(SHORTEST, duration), span));
    from = Math.min(Math.max(0, start), duration - kept);
    to = from + kept;
    onChange();
  }
  const span = () => to - from;

  return {
    get from() { return from; },
    get to() { return to; },
    get duration() { return duration; },
    span,
    isWhole: () => span() >= duration,
    open: (seconds) => {
      duration = seconds;
      set(0, seconds);
    },
    fit: () => set(0, duration),
    startAt: (start) => set(start, span()),
    /** Closer (a factor above 1) or farther; `around` stays where it is on the screen. */
    zoom: (factor, around) => {
      const next = Math.max(SHORTEST, span() / factor);
      const part = (Math.min(Math.max(around, from), to) - from) / span();
      set(around - part * next, next);
    },
    /** Bring a time into sight, near the left when it was not. */
    reveal: (time) => {
      if (time < from || time > to) set(time - span() * 0.1, span());
    },
    /** Bring a range into sight; the view only moves or widens when it has to. */
    revealRange: (start, end) => {
      if (start >= from && end <= to) return;
      if (end - start <= span()) set((start + end - span()) / 2, span());
      else set(start - (end - start) * 0.04, (end - start) * 1.08);
    },
    at: (time) => (time - from) / span(),
    timeAt: (part) => from + part * span(),
  };
}
