// The star field: made once from the seed, then only moved and lit by the vertex shader.
import { makeRandom } from "./random.js";

export const STAR_FLOATS = 8;
const STARS_PER_SQUARE = 420;
const TWINKLE_RATES = [40, 170]; // whole turns per ten minutes, so that the loop has no seam

export function starCount(extent) {
  return Math.round(STARS_PER_SQUARE * extent[0] * extent[1]);
}

/** Fill `data` with `count` stars: many faint ones, few bright ones. */
export function writeStars(data, count, seed) {
  const random = makeRandom(seed ^ 0x57a25eed);
  for (let star = 0; star < count; star += 1) {
    const r = (channel) => random(star, channel, 0);
    const turns = Math.round(TWINKLE_RATES[0] + (TWINKLE_RATES[1] - TWINKLE_RATES[0]) * r(5));
    data.set([r(0), r(1), r(2), r(3) ** 9, r(4), turns, 2 * Math.PI * r(6), r(7) ** 2], star * STAR_FLOATS);
  }
}
