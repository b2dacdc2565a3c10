// From music to motion: every number the shaders need at a frame, as uniforms by name.
import { makeFraming } from "./framing.js";
import { NOISE_CELLS } from "./glsl/noise.js";
import { makeListener } from "./music.js";
import { lightOf, paletteMatrix } from "./palette.js";
import { makeSparks } from "./sparks.js";

const TWINKLE_LOOP_SECONDS = 600;

/** Cells of noise that pass per unit of rise, for the up to four layers a form is made of. */
const RISE_RATES = {
  flame: [0.42, 0.95, 0.62, 1.05],
  mist: [0.29, 0.43, 0.31, 0],
  veil: [0.42, 0.48, 0.17, 0],
  corona: [0.42, 0.95, 0.37, 0],
};

/** The noise repeats: wrapped here in double precision, a day-long video stays smooth in half floats. */
const wrap = (cells) => cells - Math.floor(cells / NOISE_CELLS) * NOISE_CELLS;

function unchanging(extent, parameters, framing) {
  const corona = parameters.form === "corona";
  const light = (name) => lightOf(parameters[name], parameters.hueShift);
  return {
    uExtent: extent,
    uPalette: paletteMatrix(parameters),
    uSkyColor: light("skyColor"),
    uNebulaColor: light("nebulaColor"),
    uHazeColor: light("hazeColor"),
    uNebula: 0.55 * parameters.nebula,
    uWater: parameters.water,
    uWaterLine: framing.waterLine,
    uFilaments: parameters.filaments,
    uStars: parameters.stars,
    uDisc: parameters.disc,
    uCorona: corona ? 1 : 0,
    uEclipse: corona ? 1 - parameters.disc : 0,
    uExposure: 2.3,
  };
}

/** Levels are in decibels, pictures in light: 6 dB less is about two thirds of the movement. */
const moved = (level) => level ** 2.6;

/** The flame's own drives: `alive` follows loudness, `swell` the bass and its hits, `beat` the pulse. */
function drivesOf(heard, parameters) {
  return {
    alive: heard.level ** 1.5,
    swell: parameters.bassReactivity * (0.28 * moved(heard.bass) + 0.3 * heard.punch + 0.3 * heard.kick),
    beat: parameters.beatPulse * heard.beat,
    highs: parameters.highsReactivity * moved(heard.highs),
  };
}

function sizeOf(time, { alive, swell }, framing) {
  const breath = 0.5 + 0.5 * Math.sin(time * 1.05);
  const tall = 0.36 + 0.03 * breath + 0.52 * alive + 0.16 * swell;
  const wide = 0.62 + 0.03 * breath + 0.22 * alive + 0.34 * swell;
  return framing.size(tall, wide);
}

function motionOf(time, heard, parameters) {
  const stillness = 1 - 0.6 * parameters.calm;
  const up = parameters.riseSpeed * stillness * (0.95 * time + 0.9 * parameters.bassReactivity * heard.surge);
  const sway = (rate, phase) => Math.sin(time * rate * stillness + phase);
  return {
    uRise: RISE_RATES[parameters.form].map((rate) => wrap(up * rate)),
    uWaft: wrap(up * 0.21),
    uSway: [
      0.1 * sway(0.61, 0.4) + 0.06 * sway(1.13, 2.0),
      0.35 * sway(0.47, 1.1) + 0.18 * sway(0.83, 4.2),
      wrap(time * 0.021),
      wrap(3.7 - time * 0.034),
    ],
    uDrift: [0.011, 0.006, -0.014, 0.017].map((rate, index) => wrap(time * rate + 1.7 * index)),
    uLaceDrift: [wrap(-time * 0.019), wrap(-time * 0.01)],
    uRipple: [0.13, -0.42, -0.17, 0.55].map((rate) => wrap(time * rate)),
    uStarDrift: [time * 0.0011, time * 0.0006],
    uTurn: ((time % TWINKLE_LOOP_SECONDS) / TWINKLE_LOOP_SECONDS) * 2 * Math.PI,
  };
}

function lightsOf(heard, { alive, swell, beat, highs }, parameters) {
  const lively = 0.65 + 0.35 * moved(heard.voice) + 0.25 * swell;
  return {
    uTurbulence: parameters.turbulence * lively * (1 - 0.3 * parameters.calm),
    uTear: 0.42 + 0.25 * alive,
    uHeat: parameters.intensity * (0.5 + 0.42 * alive + 0.22 * swell + 0.12 * beat),
    uDrive: swell,
    uGlow: parameters.glow * (0.4 + 0.3 * alive + 0.22 * beat + 0.15 * swell),
    uShimmer: 0.75 + 0.35 * moved(heard.energy) + 0.1 * beat,
    uHighs: highs,
  };
}

/** flow(frame) is {uniforms, bounds, writeSparks(data) -> count}: a pure function of the frame. */
export function makeFlow({ frame: placed, seed, fps, parameters, features }) {
  const listener = makeListener(features, fps);
  const framing = makeFraming(placed, parameters);
  const sparksAt = makeSparks({ seed, fps, listener, framing, parameters });
  const fixed = unchanging(placed.extent, parameters, framing);

  return (frame) => {
    const time = frame / fps;
    const heard = listener.listen(frame);
    const drives = drivesOf(heard, parameters);
    const flame = sizeOf(time, drives, framing);
    const uniforms = {
      ...fixed,
      ...motionOf(time, heard, parameters),
      ...lightsOf(heard, drives, parameters),
      uOrigin: [flame.x, flame.y],
      uSize: [flame.width, flame.height],
      uFrame: frame >>> 0,
    };
    return { uniforms, bounds: flame.bounds, writeSparks: (data) => sparksAt(time, drives.highs, data) };
  };
}
