// From peaks (the extremes of a sound at several zooms) to the columns of a picture.

/** The coarsest zoom that is fine enough for so many samples a column, else the finest. */
export function pickZoom(zooms, samplesPerColumn) {
  const fine = zooms.filter(({ samplesPerPixel }) => samplesPerPixel <= samplesPerColumn);
  return fine.length > 0 ? fine.at(-1) : zooms[0];
}

/** The lowest and the highest sample of each of `count` columns from `from` to `to` seconds; silence where there is none. */
export function outlineOf(peaks, from, to, count) {
  const lows = new Float32Array(count);
  const highs = new Float32Array(count);
  if (!peaks?.zooms?.length) return { lows, highs };
  const { sampleRate } = peaks.zooms[0];
  const { samplesPerPixel, data, length } = pickZoom(peaks.zooms, ((to - from) * sampleRate) / count);
  const perSecond = sampleRate / samplesPerPixel;
  for (let column = 0; column < count; column += 1) {
    const start = (from + ((to - from) * column) / count) * perSecond;
    const end = (from + ((to - from) * (column + 1)) / count) * perSecond;
    if (end - start < 1) [lows[column], highs[column]] = between(data, length, (start + end) / 2 - 0.5);
    else [lows[column], highs[column]] = extremes(data, length, Math.floor(start), Math.ceil(end));
  }
  return { lows, highs };
}

function extremes(data, length, first, last) {
  let [low, high] = [0, 0];
  for (let at = Math.max(0, first); at < Math.min(length, last); at += 1) {
    low = Math.min(low, data[2 * at]);
    high = Math.max(high, data[2 * at + 1]);
  }
  return [low, high];
}

/** Closer than the finest zoom: the way from one pixel of the peaks to the next. */
function between(data, length, place) {
  const left = Math.min(Math.max(Math.floor(place), 0), length - 1);
  const right = Math.min(left + 1, length - 1);
  const part = Math.min(Math.max(place - left, 0), 1);
  return [0, 1].map((side) => data[2 * left + side] * (1 - part) + data[2 * right + side] * part);
}
