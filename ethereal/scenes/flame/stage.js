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

const sized = (gl, width, height) => (part) => makeLayer(gl, Math.ceil(width / part), Math.ceil(height / part));

/** Fixed fractions of the picture, so that the look is the same at every size. */
function makeFormLayers(gl, width, height) {
  const layer = sized(gl, width, height);
  return {
    noise: makeLayer(gl, NOISE_TEXELS, NOISE_TEXELS, gl.REPEAT),
    body: layer(2),
    near: layer(8),
    nearSide: layer(8),
    far: layer(32),
    farSide: layer(32),
  };
}

function makeLayers(gl, width, height, isTransparent) {
  const layer = sized(gl, width, height);
  return { ...(isTransparent ? { points: layer(1) } : {}), picture: layer(2), sky: layer(4) };
}

function makeFormPrograms(gl, form, isAlone) {
  return {
    body: makeProgram(gl, COVER, (isAlone ? LONE_BODIES : BODIES)[form]),
    sparkGlow: makeProgram(gl, SPARK_VERTEX, SPARK_WEIGHTS),
    shrink: makeProgram(gl, COVER, SHRINK_BODY),
    blur: makeProgram(gl, COVER, BLUR),
  };
}

function makePrograms(gl, isTransparent) {
  return {
    sparkCore: makeProgram(gl, SPARK_VERTEX, SPARK_CORE),
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

const disposer = (...held) => () => held.flatMap(Object.values).forEach((one) => one.dispose());

/** What draws the form, its bloom and its sparks; `isAlone` rounds its ends off, `sky` is how much of it has stars. */
export function makeForm(gl, { width, height, extent, seed, form, isAlone, sky }) {
  const callersTarget = gl.getParameter(gl.DRAW_FRAMEBUFFER_BINDING);
  const layers = makeFormLayers(gl, width, height);
  const programs = makeFormPrograms(gl, form, isAlone);
  const points = { sparks: makeInstances(gl, SPARK_CAPACITY, SPARK_FLOATS), stars: makeStars(gl, sky, seed) };
  const plain = () => setPlain(gl);
  plain();
  bakeNoise(gl, layers.noise, seed);
  gl.bindFramebuffer(gl.FRAMEBUFFER, callersTarget);
  const dispose = disposer(layers, programs, points);
  return { gl, extent, layers, programs, ...points, plain, dispose, onePixel: extent[0] / width };
}

/** The same with what paints a flat picture around it. */
export function makeStage(gl, { width, height, extent, seed, parameters, isTransparent }) {
  const form = makeForm(gl, {
    width,
    height,
    extent,
    seed,
    form: parameters.form,
    isAlone: isTransparent,
    sky: extent,
  });
  const layers = makeLayers(gl, width, height, isTransparent);
  const programs = makePrograms(gl, isTransparent);
  const dispose = disposer({ form }, layers, programs);
  return {
    ...form,
    layers: { ...form.layers, ...layers },
    programs: { ...form.programs, ...programs },
    dispose,
  };
}
