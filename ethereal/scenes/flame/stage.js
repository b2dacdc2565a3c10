// Everything the passes draw with, made once: layers, programs, sparks and stars.
import { COMPOSITE, FINISH, WATER } from "./glsl/composite.js";
import { CORONA_BODY } from "./glsl/corona.js";
import { FLAME_BODY, LONE_FLAME_BODY } from "./glsl/flame.js";
import { GLOW, LIFT } from "./glsl/lift.js";
import { BLUR, SHRINK_BODY, SKY } from "./glsl/light.js";
import { MIST_BODY } from "./glsl/mist.js";
import { BAKE_NOISE } from "./glsl/noise.js";
import { SPARK_CORE, SPARK_VERTEX, SPARK_WEIGHTS, STAR_PIXEL, STAR_VERTEX } from "./glsl/points.js";
import { COVER } from "./glsl/shared.js";
import { VEIL_BODY } from "./glsl/veil.js";
import { drawInto, fill, makeInstances, makeLayer, makeProgram } from "./gpu.js";
import { SPARK_CAPACITY, SPARK_FLOATS } from "./sparks.js";
import { STAR_FLOATS, starCount, writeStars } from "./stars.js";

const NOISE_TEXELS = 512;
const BODIES = { flame: FLAME_BODY, mist: MIST_BODY, veil: VEIL_BODY, corona: CORONA_BODY };
const LONE_BODIES = { ...BODIES, flame: LONE_FLAME_BODY };

/** Fixed fractions of the picture, so that the look is the same at every size. */
function makeLayers(gl, width, height, isTransparent) {
  const layer = (part) => makeLayer(gl, Math.ceil(width / part), Math.ceil(height / part));
  return {
    ...(isTransparent ? { points: layer(1) } : {}),
    noise: makeLayer(gl, NOISE_TEXELS, NOISE_TEXELS, gl.REPEAT),
    body: layer(2),
    picture: layer(2),
    sky: layer(4),
    near: layer(8),
    nearSide: layer(8),
    far: layer(32),
    farSide: layer(32),
  };
}

function makePrograms(gl, form, isTransparent) {
  return {
    body: makeProgram(gl, COVER, (isTransparent ? LONE_BODIES : BODIES)[form]),
    sparkGlow: makeProgram(gl, SPARK_VERTEX, SPARK_WEIGHTS),
    sparkCore: makeProgram(gl, SPARK_VERTEX, SPARK_CORE),
    shrink: makeProgram(gl, COVER, SHRINK_BODY),
    blur: makeProgram(gl, COVER, BLUR),
    sky: makeProgram(gl, COVER, isTransparent ? GLOW : SKY),
    composite: makeProgram(gl, COVER, COMPOSITE),
    water: makeProgram(gl, COVER, WATER),
    finish: makeProgram(gl, COVER, isTransparent ? LIFT : FINISH),
    stars: makeProgram(gl, STAR_VERTEX, STAR_PIXEL),
  };
}

function makeStars(gl, extent, seed) {
  const count = starCount(extent);
  const stars = makeInstances(gl, count, STAR_FLOATS);
  writeStars(stars.data, count, seed);
  stars.upload(count);
  return { ...stars, count };
}

function bakeNoise(gl, layer, seed) {
  const program = makeProgram(gl, COVER, BAKE_NOISE);
  drawInto(gl, layer);
  program.use({ uSeed: seed >>> 0 });
  fill(gl);
  program.dispose();
}

/** The state every pass starts from, whatever the caller left behind. */
function setPlain(gl) {
  [gl.DEPTH_TEST, gl.STENCIL_TEST, gl.CULL_FACE, gl.BLEND, gl.SCISSOR_TEST].forEach((state) => gl.disable(state));
  gl.colorMask(true, true, true, true);
  gl.bindVertexArray(null);
}

export function makeStage(gl, { width, height, extent, seed, parameters, isTransparent }) {
  const callersTarget = gl.getParameter(gl.DRAW_FRAMEBUFFER_BINDING);
  const layers = makeLayers(gl, width, height, isTransparent);
  const programs = makePrograms(gl, parameters.form, isTransparent);
  const sparks = makeInstances(gl, SPARK_CAPACITY, SPARK_FLOATS);
  const stars = makeStars(gl, extent, seed);
  const plain = () => setPlain(gl);
  plain();
  bakeNoise(gl, layers.noise, seed);
  gl.bindFramebuffer(gl.FRAMEBUFFER, callersTarget);
  const dispose = () =>
    [...Object.values(layers), ...Object.values(programs), sparks, stars].forEach((held) => held.dispose());
  return { gl, extent, layers, programs, sparks, stars, plain, dispose, onePixel: 1 / Math.min(width, height) };
}
