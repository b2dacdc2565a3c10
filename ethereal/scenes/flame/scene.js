// The flame: a burning, breathing light over dark water, drawn from the frame index and the music alone. With
// nothing behind it there is light only: the flame, its glow and its sparks, but no sky, no stars and no water.
import { makeFlow } from "./flow.js";
import { makePasses } from "./passes.js";
import { parameters } from "./parameters.js";

export { parameters };
export const expects = { motion: true, notBlack: true };
export const canBeTransparent = true;

const WITHOUT_BACKGROUND = { water: 0, stars: 0 };

function complete(given) {
  const values = {};
  for (const name in parameters) values[name] = given?.[name] ?? parameters[name].default;
  return values;
}

export function create(gl, { width, height, seed, fps, parameters: given, features, isTransparent = false }) {
  const settings = { ...complete(given), ...(isTransparent ? WITHOUT_BACKGROUND : {}) };
  const short = Math.min(width, height);
  const extent = [width / short, height / short];
  const flow = makeFlow({ extent, seed, fps: Number(fps), parameters: settings, features });
  const passes = makePasses(gl, { width, height, extent, seed, parameters: settings, isTransparent });
  return {
    draw: (frame) => passes.draw(flow(frame)),
    dispose: passes.dispose,
  };
}
