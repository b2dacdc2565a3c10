// Seeded numbers from integers alone: equal on every machine, and nothing to carry between frames.

function mixBits(value) {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x7feb352d);
  bits = Math.imul(bits ^ (bits >>> 15), 0x846ca68b);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** random(a, b, c) is a number 0..1 (1 left out) that depends on the seed and the three integers only. */
export function makeRandom(seed) {
  const start = mixBits(seed);
  return (a, b, c) => mixBits(mixBits(mixBits(start + a) + b) + c) / 4294967296;
}
