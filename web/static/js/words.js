// Numbers as people read them.

/** A length as a player shows it: 3:05. */
export function clockWords(seconds) {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const rest = String(whole % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

/** A size in bytes: 3.4 MB. */
export function sizeWords(size) {
  return size < 1e6 ? `${Math.max(1, Math.round(size / 1e3))} kB` : `${(size / 1e6).toFixed(1)} MB`;
}

/** A duration: 40 s, 3 min, 1 h 20 min. */
export function spanWords(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 90) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** How long it may still take: about 40 s left (30–60 s). */
export function etaWords({ seconds, low, high }) {
  if (high >= 5400) return `about ${spanWords(seconds)} left`;
  const [unit, size] = high < 90 ? ["s", 1] : ["min", 60];
  const [guess, least, most] = [seconds, low, high].map((value) => Math.max(1, Math.round(value / size)));
  return `about ${guess} ${unit} left${least < most ? ` (${least}–${most} ${unit})` : ""}`;
}

/** When something happened, in this person's own time. */
export function showTimes(root) {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const time of root.querySelectorAll("time[data-when]")) time.textContent = format.format(new Date(time.dateTime));
}
