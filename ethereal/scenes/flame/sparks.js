// Sparks: found again at each frame from the onsets of the last seconds, then placed by closed forms of their age.
import { makeRandom } from "./random.js";

export const SPARK_FLOATS = 8;
export const SPARK_CAPACITY = 1200;

const SLOT_SECONDS = 0.05; // time is cut into slots, not frames: the same sparks at any frame rate
const LIFE_SECONDS = 2.6;
const SHUTTER_SECONDS = 0.03;
const PER_SLOT = 40;

const round = (r) => (r(2) - 0.5) * 2 * Math.PI;

/** Where sparks start (in flame sizes), which way they leave (from straight up), how fast, how the heat lifts. */
const LAUNCH = {
  flame: {
    from: (r) => ({ x: (r(2) - 0.5) * 1.0, y: 0.06 + 0.3 * r(3), angle: (r(4) + r(5) - 1) * 1.15 }),
    speed: 1,
    lift: 0.19,
  },
  veil: {
    from: (r) => ({ x: (r(2) - 0.5) * 2.2, y: 0.1 + 0.55 * r(3), angle: (r(4) - 0.5) * 1.6 }),
    speed: 0.4,
    lift: 0.08,
  },
  mist: {
    from: (r) => ({ x: Math.sin(round(r)) * r(3) * 0.6, y: Math.cos(round(r)) * r(3) * 0.6, angle: round(r) }),
    speed: 0.9,
    lift: 0.1,
  },
  corona: {
    from: (r) => ({ x: Math.sin(round(r)), y: Math.cos(round(r)), angle: round(r) + (r(4) - 0.5) * 0.9, limb: true }),
    speed: 1,
    lift: 0,
  },
};

/** How hard each slot was struck: the rise of the onset within it, so that a slow decay strikes once. */
function makeStrikes(listener, fps) {
  const peak = (slot) => {
    const first = Math.round(slot * SLOT_SECONDS * fps);
    const last = Math.max(first + 1, Math.round((slot + 1) * SLOT_SECONDS * fps));
    let most = 0;
    for (let frame = first; frame < last; frame += 1) {
      const struck = Math.max(listener.value("onset", frame), 0.8 * listener.value("onset_bass", frame));
      most = Math.max(most, struck);
    }
    return most;
  };
  return (slot) => {
    const now = peak(slot);
    return now < 0.1 ? 0 : Math.min(1, 1.4 * Math.max(0, now - 0.75 * peak(slot - 1)));
  };
}

/** How strong and how many, slot by slot: what all sparks of a slot share. */
function makeBursts(listener, fps, random, abundance) {
  const strike = makeStrikes(listener, fps);
  return (slot) => {
    const struck = strike(slot);
    const level = listener.value("loudness", Math.round(slot * SLOT_SECONDS * fps)) ** 2;
    const wanted = abundance * (0.1 + 0.55 * level + PER_SLOT * 0.75 * struck ** 1.4);
    return { struck, level, born: Math.min(PER_SLOT, Math.floor(wanted + random(slot, 0, 0))) };
  };
}

/** A spark's way: thrown out, slowed by the air, lifted by the heat, wandering more as it ages. */
function makePath(r, { struck, level }, { from, speed, lift }, framing) {
  const start = from(r);
  const { x, y, height, width } = framing.size(0.5 + 0.5 * level, 0.7 + 0.3 * level);
  const throw_ = speed * height * (0.35 + (0.9 + 1.1 * struck) * r(6) ** 1.6);
  const [wobble, rate] = [2 * Math.PI * r(7), 2.2 + 3.4 * r(8)];
  const [startX, startY] = [x + start.x * width, y + start.y * (start.limb ? width : height)];
  return (age) => {
    const out = (throw_ * (1 - Math.exp(-2.1 * age))) / 2.1;
    const drift = height * 0.035 * Math.min(age * 1.6, 1.4) * Math.sin(rate * age + wobble);
    return [startX + Math.sin(start.angle) * out + drift, startY + Math.cos(start.angle) * out + lift * height * age];
  };
}

/** How large, hot and bright a spark is with `left` (1..0) of its life to go. */
function glowOf(r, age, left, highs) {
  const flicker = 0.72 + 0.28 * Math.sin(23 * age * (0.6 + r(9)) + 2 * Math.PI * r(7)) + 0.9 * highs * r(10) ** 3;
  return [
    (0.0016 + 0.0026 * r(11) ** 5) * (0.6 + 0.4 * left),
    left * left,
    flicker * Math.min(1, left * 1.8) * Math.min(1, age * 30) * (0.45 + 0.55 * r(12)),
  ];
}

/** (time, highs, data) -> count: writes the sparks alive at `time` seconds into `data`, SPARK_FLOATS each. */
export function makeSparks({ seed, fps, listener, framing, parameters }) {
  const random = makeRandom(seed ^ 0x51a7c0de);
  const burstOf = makeBursts(listener, fps, random, parameters.sparks);
  const launch = LAUNCH[parameters.form];

  const writeOne = (slot, index, burst, time, highs, data, at) => {
    const r = (channel) => random(slot, index + 1, channel);
    const age = time - (slot + r(0)) * SLOT_SECONDS;
    const life = LIFE_SECONDS * (0.35 + 0.65 * r(1)) - SLOT_SECONDS;
    if (age <= 0 || age >= life) return 0;
    const path = makePath(r, burst, launch, framing);
    data.set(path(age), at);
    data.set(path(Math.max(0, age - SHUTTER_SECONDS)), at + 2);
    data.set(glowOf(r, age, 1 - age / life, highs), at + 4);
    return 1;
  };

  return (time, highs, data) => {
    let count = 0;
    const newest = Math.floor(time / SLOT_SECONDS);
    const oldest = Math.max(0, newest - Math.ceil(LIFE_SECONDS / SLOT_SECONDS));
    for (let slot = newest; slot >= oldest; slot -= 1) {
      const burst = burstOf(slot);
      for (let index = 0; index < burst.born && count < SPARK_CAPACITY; index += 1) {
        count += writeOne(slot, index, burst, time, highs, data, count * SPARK_FLOATS);
      }
    }
    return count;
  };
}
