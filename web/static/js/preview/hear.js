// What the preview hears: the same names as the features of a render, estimated while the song plays.
// The render measures them from the decoded sound, frame by frame; here an analyser gives the present moment only.

const LEVEL_RANGE_DB = 48;
/** What the analyser's Blackman window takes from a tone, against its mean square. */
const WINDOW_DB = 8.2;
const BANDS = [
  { name: "sub", low: 20, high: 60, top: -12, release: 0.32 },
  { name: "bass", low: 60, high: 250, top: -10, release: 0.28 },
  { name: "low_mid", low: 250, high: 500, top: -15, release: 0.25 },
  { name: "mid", low: 500, high: 2000, top: -15, release: 0.22 },
  { name: "upper_mid", low: 2000, high: 4000, top: -21, release: 0.2 },
  { name: "presence", low: 4000, high: 6000, top: -25, release: 0.18 },
  { name: "brilliance", low: 6000, high: 12000, top: -25, release: 0.16 },
  { name: "air", low: 12000, high: 20000, top: -32, release: 0.14 },
];
const KEPT_SECONDS = 10;

const clamp01 = (value) => Math.min(1, Math.max(0, value));
const decibels = (power) => 10 * Math.log10(Math.max(power, 1e-20));
const levelOf = (power, top) => clamp01((decibels(power) - top) / LEVEL_RANGE_DB + 1);

function bandPowers(analyser, spectrum) {
  analyser.getFloatFrequencyData(spectrum);
  const width = analyser.context.sampleRate / analyser.fftSize;
  return BANDS.map(({ low, high }) => {
    let power = 0;
    const last = Math.min(spectrum.length - 1, Math.ceil(high / width) - 1);
    for (let bin = Math.max(1, Math.round(low / width)); bin <= last; bin += 1) power += 10 ** (spectrum[bin] / 10);
    return power * 10 ** (WINDOW_DB / 10);
  });
}

function meanSquare(analyser, wave) {
  analyser.getFloatTimeDomainData(wave);
  let sum = 0;
  for (const sample of wave) sum += sample * sample;
  return sum / wave.length;
}

/** Remembers the last seconds, frame by frame. `value` is what a scene asks. */
export function makeHearing(fps) {
  const kept = Math.ceil(KEPT_SECONDS * fps);
  let rows = new Map();
  let latest = -1;
  let spectrum = null;
  let wave = null;

  const forget = () => {
    rows = new Map();
    latest = -1;
  };

  const measure = (analyser) => {
    spectrum ??= new Float32Array(analyser.frequencyBinCount);
    wave ??= new Float32Array(analyser.fftSize);
    const before = rows.get(latest) ?? {};
    const row = { tempo: 0, beat_phase: 0, width: 0.5, centroid: 0.4 };
    let rise = 0;
    let bassRise = 0;
    let highRise = 0;
    bandPowers(analyser, spectrum).forEach((power, index) => {
      const { name, top, release } = BANDS[index];
      row[name] = levelOf(power, top);
      row[`${name}_envelope`] = Math.max(row[name], (before[`${name}_envelope`] ?? 0) * Math.exp(-1 / (fps * release)));
      const grown = Math.max(0, row[name] - (before[name] ?? 0));
      rise += grown / BANDS.length;
      if (index < 2) bassRise += grown / 2;
      if (index > 5) highRise += grown / 2;
    });
    row.rms = row.loudness = levelOf(meanSquare(analyser, wave), -9);
    row.onset = clamp01(rise * 5 - 0.12);
    row.onset_bass = clamp01(bassRise * 4 - 0.15);
    row.onset_high = clamp01(highRise * 4 - 0.15);
    row.beat = Math.max(row.onset_bass > 0.3 ? 1 : 0, (before.beat ?? 0) * Math.exp(-1 / (fps * 0.16)));
    return row;
  };

  /** Hear the present moment as `frame`; frames that the screen skipped sound like it too. */
  const listen = (analyser, frame) => {
    if (frame === latest) return;
    if (frame < latest || frame > latest + kept) forget();
    const row = measure(analyser);
    for (let missed = Math.max(latest + 1, frame - kept, 0); missed <= frame; missed += 1) {
      rows.set(missed, row);
      rows.delete(missed - kept);
    }
    latest = frame;
  };

  const value = (name, frame) => rows.get(Math.min(Math.trunc(frame), latest))?.[name] ?? 0;
  return { listen, forget, value, fps };
}

/** A calm pulse for a scene that has no song yet: a pure function of the frame. */
export function makeHeartbeat(fps) {
  const ring = (seconds, every, fade) => Math.exp(-(((seconds % every) + every) % every) / fade);
  const value = (name, frame) => {
    const seconds = Math.max(0, frame) / fps;
    const swell = 0.5 - 0.5 * Math.cos(seconds * 0.42);
    const beat = ring(seconds, 1.25, 0.24);
    if (name.startsWith("sub") || name.startsWith("bass")) return 0.36 + 0.5 * beat * (0.55 + 0.45 * swell);
    if (name === "onset" || name === "onset_bass" || name === "beat") return ring(seconds, 1.25, 0.05) * 0.8;
    if (name === "onset_high") return ring(seconds + 0.4, 0.625, 0.05) * 0.5;
    if (name === "rms" || name === "loudness") return 0.66 + 0.16 * swell + 0.12 * beat;
    if (name === "centroid" || name === "width") return 0.45;
    return 0.3 + 0.25 * swell * ring(seconds + 0.3, 0.625, 0.2);
  };
  return { value, fps };
}
