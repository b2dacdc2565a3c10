// The flame: a burning, breathing light over dark water, drawn from the frame index and the music alone. With
// nothing behind it there is light only: the flame, its glow and its sparks, but no sky, no stars and no water. In a
// picture of all directions the sky and the water are all around, and the flame stands ahead.
import { makeFlow } from "./flow.js";
import { flatFrame } from "./framing.js";
import { makePasses } from "./passes.js";
import { parameters } from "./parameters.js";
import { frameOf, makeSpherePasses } from "./sphere/passes.js";

export { parameters };
export const expects = { motion: true, notBlack: true };
export const canBeTransparent = true;
export const canBeSpherical = true;

const WITHOUT_BACKGROUND = { water: 0, stars: 0 };

function complete(given) {
  const values = {};
  for (const name in parameters) values[name] = given?.[name] ?? parameters[name].default;
  return values;
}

export function create(gl, opening) {
  const { width, height, seed, fps, parameters: given, features, projection = "flat", isTransparent = false } = opening;
  const settings = { ...complete(given), ...(isTransparent ? WITHOUT_BACKGROUND : {}) };
  const isFlat = projection === "flat";
  const frame = isFlat ? flatFrame(width, height) : frameOf(settings.form);
  const flow = makeFlow({ frame, seed, fps: Number(fps), parameters: settings, features });
  const made = { width, height, extent: frame.extent, seed, parameters: settings, projection, isTransparent };
  const passes = isFlat ? makePasses(gl, made) : makeSpherePasses(gl, made);
  return {
    draw: (index) => passes.draw(flow(index)),
    dispose: passes.dispose,
  };
}
