// Times as people read and write them, to the millisecond.

export const toMilliseconds = (seconds) => Math.round(seconds * 1000) / 1000;

/** 62.5 as 1:02.500. */
export function timeWords(seconds) {
  const all = Math.max(0, Math.round(seconds * 1000));
  const rest = `${String(Math.floor(all / 1000) % 60).padStart(2, "0")}.${String(all % 1000).padStart(3, "0")}`;
  const minutes = Math.floor(all / 60_000);
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

/** What somebody wrote (62.5, 1:02.5, 1:00:02,5) in seconds; null when it is no time. */
export function readTime(text) {
  const parts = text.trim().replace(",", ".").split(":");
  const last = parts.pop();
  if (parts.length > 2 || !/^(\d+\.?\d*|\.\d+)$/.test(last) || !parts.every((part) => /^\d+$/.test(part))) return null;
  return toMilliseconds([...parts, last].reduce((sum, part) => sum * 60 + Number(part), 0));
}
