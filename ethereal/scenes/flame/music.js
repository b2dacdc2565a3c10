// What the flame hears at a frame: smooth drives 0..1, each a closed form over a few seconds of features.

const clamp01 = (value) => Math.min(1, Math.max(0, value));

/** Weights of a one-pole release, newest first, summing to 1; the same shape in seconds at any frame rate. */
function releaseWeights(fps, seconds) {
  const weights = new Float64Array(Math.ceil(fps * seconds * 3) + 1);
  for (let back = 0; back < weights.length; back += 1) weights[back] = Math.exp(-back / (fps * seconds));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** How far a push `age` seconds ago still carries the flame upwards: quick out, slow back. */
function carry(age) {
  return (1 - Math.exp(-age / 0.09)) * Math.exp(-age / 0.9);
}

export function makeListener(features, fps) {
  const known = new Set(features.names);
  const value = (name, frame) => {
    const heard = frame < 0 || !known.has(name) ? 0 : features.value(name, frame);
    return Number.isFinite(heard) ? clamp01(heard) : 0;
  };
  const short = releaseWeights(fps, 0.22);
  const long = releaseWeights(fps, 1.1);
  const carryWeights = Float64Array.from({ length: Math.ceil(fps * 2.7) }, (_, back) => carry(back / fps) / fps);

  const sum = (name, frame, weights) => {
    let total = 0;
    for (let back = 0; back < weights.length; back += 1) total += weights[back] * value(name, frame - back);
    return total;
  };
  const held = (name, frame, seconds) => {
    let peak = 0;
    for (let back = 0; back < fps * seconds * 4; back += 1) {
      peak = Math.max(peak, value(name, frame - back) * Math.exp(-back / (fps * seconds)));
    }
    return peak;
  };
  const loudness = (frame, weights) => Math.max(sum("loudness", frame, weights), sum("rms", frame, weights));

  const listen = (frame) => {
    const bass = Math.max(held("bass", frame, 0.16), held("sub", frame, 0.16));
    const bassBed = sum("bass", frame, long);
    return {
      level: loudness(frame, short),
      energy: loudness(frame, long),
      bass,
      punch: clamp01(bass - 0.6 * bassBed),
      warmth: sum("low_mid", frame, short),
      voice: sum("mid", frame, short),
      highs: Math.max(held("brilliance", frame, 0.1), 0.9 * held("air", frame, 0.1), 0.6 * held("presence", frame, 0.12)),
      beat: held("beat", frame, 0.14),
      surge: sum("bass", frame, carryWeights) + 0.7 * sum("onset_bass", frame, carryWeights),
    };
  };
  return { listen, value };
}
