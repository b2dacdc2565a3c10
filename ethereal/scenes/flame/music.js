// What the flame hears at a frame: smooth drives 0..1, each a closed form over a few seconds of features.

const SOFTENING_SECONDS = 0.065;

const clamp01 = (value) => Math.min(1, Math.max(0, value));

function normalised(weights) {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Weights of a one-pole release, newest first, summing to 1; the same shape in seconds at any frame rate. */
function releaseWeights(fps, seconds) {
  const length = Math.ceil(fps * seconds * 3) + 1;
  return normalised(Float64Array.from({ length }, (_, back) => Math.exp(-back / (fps * seconds))));
}

/** A bell around the frame, oldest first: what comes is known, so a hit may swell in without coming late. */
function bellWeights(fps) {
  const reach = Math.ceil(fps * SOFTENING_SECONDS) - 1;
  const bell = (step) => 1 + Math.cos((Math.PI * step) / (fps * SOFTENING_SECONDS));
  return normalised(Float64Array.from({ length: 2 * reach + 1 }, (_, index) => bell(index - reach)));
}

/** How far a push `age` seconds ago still carries the flame upwards: quick out, slow back. */
function carryWeights(fps) {
  const carry = (age) => (1 - Math.exp(-age / 0.09)) * Math.exp(-age / 0.9);
  return Float64Array.from({ length: Math.ceil(fps * 2.7) }, (_, back) => carry(back / fps) / fps);
}

/** {value(name, frame), listen(frame)} over features of which any may be missing. */
export function makeListener(features, fps) {
  const [short, long, bell, carried] = [
    releaseWeights(fps, 0.22), releaseWeights(fps, 1.1), bellWeights(fps), carryWeights(fps),
  ];
  const known = new Set(features.names);
  const value = (name, frame) => {
    const heard = frame < 0 || !known.has(name) ? 0 : features.value(name, frame);
    return Number.isFinite(heard) ? clamp01(heard) : 0;
  };
  const mean = (name, frame, weights) =>
    weights.reduce((total, weight, back) => total + weight * value(name, frame - back), 0);
  const held = (name, frame, seconds) => {
    let peak = 0;
    for (let back = 0; back < fps * seconds * 4; back += 1) {
      peak = Math.max(peak, value(name, frame - back) * Math.exp(-back / (fps * seconds)));
    }
    return peak;
  };
  const hit = (name, frame, seconds) => {
    const reach = (bell.length - 1) / 2;
    return bell.reduce((total, weight, index) => total + weight * held(name, frame + index - reach, seconds), 0);
  };
  const loudness = (frame, weights) => Math.max(mean("loudness", frame, weights), mean("rms", frame, weights));

  const listen = (frame) => {
    const bass = Math.max(hit("bass", frame, 0.16), hit("sub", frame, 0.16));
    return {
      level: loudness(frame, short),
      energy: loudness(frame, long),
      bass,
      punch: clamp01(3 * (bass - mean("bass", frame, long))), // 7 dB above the bed is half a punch
      kick: clamp01(1.5 * hit("onset_bass", frame, 0.16)),
      voice: mean("mid", frame, short),
      highs: Math.max(held("brilliance", frame, 0.1), held("air", frame, 0.1), 0.8 * held("presence", frame, 0.12)),
      beat: hit("beat", frame, 0.14),
      surge: mean("bass", frame, carried) + 0.7 * mean("onset_bass", frame, carried),
    };
  };
  return { value, listen };
}
