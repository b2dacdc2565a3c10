// What the preview hears: the features of a render by the same names, estimated while the song plays.
// The render measures them from the decoded sound at exact frame times; an analyser gives the present moment only.

const LEVEL_RANGE_DB = 48;
/** What the analyser's Blackman window takes from a tone, against its mean square. */
const WINDOW_DB = 8.2;
const FULL_DB = -6;
const MOMENT_SECONDS = 0.4;
const SHORT_TERM_SECONDS = 3;
const KEPT_SECONDS = 10;
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
/** How long a hit rings in the eye, and which bands it is made of. */
const HITS = {
  onset: { from: 0, to: 8, seconds: 0.12, least: 0.05 },
  onset_bass: { from: 0, to: 2, seconds: 0.18, least: 0.1 },
  onset_high: { from: 5, to: 8, seconds: 0.08, least: 0.1 },
};
const PITCHES = ["c", "c_sharp", "d", "d_sharp", "e", "f", "f_sharp", "g", "g_sharp", "a", "a_sharp", "b"];
const BEAT_SECONDS = 0.2;
const BEAT_STRENGTH = 0.45;

/** Pitch classes need longer windows and novelty the future: both stay 0 here. */
export const NAMES = [
  "rms", "loudness", ...BANDS.map(({ name }) => name), ...BANDS.map(({ name }) => `${name}_envelope`),
  ...Object.keys(HITS), "beat", "beat_phase", "centroid", "width",
  "loudness_short_term", ...PITCHES.map((pitch) => `chroma_${pitch}`), "section_novelty",
];

const clamp01 = (value) => Math.min(1, Math.max(0, value));
const levelOf = (power, top) => clamp01((10 * Math.log10(Math.max(power, 1e-20)) - top) / LEVEL_RANGE_DB + 1);

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
  return wave.reduce((sum, sample) => sum + sample * sample, 0) / wave.length;
}

/** Where most of the sound lies: 0 is 60 Hz, 1 is 12 kHz, in octaves. */
function centroidOf(powers) {
  const total = powers.reduce((sum, power) => sum + power, 0);
  if (total < 1e-9) return 0;
  const octave = ({ low, high }) => clamp01(Math.log2(Math.sqrt(low * high) / 60) / Math.log2(12000 / 60));
  return powers.reduce((sum, power, index) => sum + power * octave(BANDS[index]), 0) / total;
}

/** The features of one moment, given those of the moment before. */
function describe(powers, loudness, momentPower, before, fps) {
  const faded = (name, seconds) => (before[name] ?? 0) * Math.exp(-1 / (fps * seconds));
  const row = { beat_phase: 0, width: 0.3, centroid: centroidOf(powers) };
  BANDS.forEach(({ name, top, release }, index) => {
    row[name] = levelOf(powers[index], top);
    row[`${name}_envelope`] = Math.max(row[name], faded(`${name}_envelope`, release));
  });
  const rises = BANDS.map(({ name }) => Math.max(0, row[name] - (before[name] ?? 0)));
  for (const [name, { from, to, seconds, least }] of Object.entries(HITS)) {
    const rise = rises.slice(from, to).reduce((sum, part) => sum + part, 0) / (to - from);
    row[name] = Math.max(rise > least ? Math.min(1, rise / 0.5) : 0, faded(name, seconds));
  }
  row.beat = Math.max(row.onset_bass > BEAT_STRENGTH ? 1 : 0, faded("beat", BEAT_SECONDS));
  row.rms = levelOf(momentPower, FULL_DB);
  row.loudness = levelOf(2 * loudness.momentary, FULL_DB); // both sides together
  row.loudness_short_term = levelOf(2 * loudness.shortTerm, FULL_DB);
  return row;
}

/** Remembers the last seconds, frame by frame. `value` is what a scene asks. */
export function makeHearing(fps) {
  const kept = Math.ceil(KEPT_SECONDS * fps);
  let rows = new Map();
  let latest = -1;
  let loudness = { momentary: 0, shortTerm: 0 };
  let buffers = null;

  const forget = () => {
    rows = new Map();
    latest = -1;
    loudness = { momentary: 0, shortTerm: 0 };
  };

  const measure = (analyser, passed) => {
    buffers ??= { spectrum: new Float32Array(analyser.frequencyBinCount), wave: new Float32Array(analyser.fftSize) };
    const momentPower = meanSquare(analyser, buffers.wave);
    const nearer = (power, seconds) => power + (momentPower - power) * (1 - Math.exp(-passed / (fps * seconds)));
    loudness = {
      momentary: nearer(loudness.momentary, MOMENT_SECONDS),
      shortTerm: nearer(loudness.shortTerm, SHORT_TERM_SECONDS),
    };
    return describe(bandPowers(analyser, buffers.spectrum), loudness, momentPower, rows.get(latest) ?? {}, fps);
  };

  /** Hear the present moment as `frame`; frames that the screen skipped sound like it too. */
  const listen = (analyser, frame) => {
    if (frame === latest) return;
    if (frame < latest || frame > latest + kept) forget();
    const row = measure(analyser, latest < 0 ? kept : frame - latest);
    for (let missed = Math.max(latest + 1, frame - kept, 0); missed <= frame; missed += 1) {
      rows.set(missed, row);
      rows.delete(missed - kept);
    }
    latest = frame;
  };

  const value = (name, frame) => rows.get(Math.min(Math.trunc(frame), latest))?.[name] ?? 0;
  return { listen, forget, value };
}

/** A calm pulse for a scene that has no song yet: a pure function of the frame. */
export function makeHeartbeat(fps) {
  const ring = (seconds, every, fade) => Math.exp(-(seconds - Math.floor(seconds / every) * every) / fade);
  const value = (name, frame) => {
    const seconds = Math.max(0, frame) / fps;
    const swell = 0.5 - 0.5 * Math.cos(seconds * 0.42);
    if (name in HITS) return (0.35 + 0.4 * swell) * ring(seconds, name === "onset_high" ? 0.625 : 1.25, HITS[name].seconds);
    if (name === "beat") return 0.7 * ring(seconds, 1.25, BEAT_SECONDS);
    if (name === "beat_phase") return (seconds / 1.25) % 1;
    if (name.startsWith("chroma_") || name === "section_novelty") return 0;
    if (name === "rms" || name.startsWith("loudness")) return 0.72 + 0.14 * swell;
    if (name === "centroid" || name === "width") return 0.4;
    if (name.startsWith("sub") || name.startsWith("bass")) return 0.55 + 0.3 * ring(seconds, 1.25, 0.3);
    return 0.6 + 0.15 * swell + 0.1 * ring(seconds, 0.625, 0.2);
  };
  return { value };
}
