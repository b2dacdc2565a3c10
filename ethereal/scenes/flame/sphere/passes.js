// The passes of one picture of all directions: the form on a plane of its own, the sky around, then what each eye sees.
import { FINISH } from "../glsl/composite.js";
import { SPARK_CORE, STAR_PIXEL } from "../glsl/points.js";
import { COVER } from "../glsl/shared.js";
import { drawInto, makeLayer, makeProgram, readFrom } from "../gpu.js";
import { cover, drawBloom, drawBody, texel } from "../passes.js";
import { makeForm } from "../stage.js";
import { EYES_APART, RADIANS_PER_UNIT } from "./directions.js";
import { SKY_AROUND, seenAround } from "./light.js";
import { SPARK_AROUND_VERTEX, STAR_AROUND_VERTEX } from "./points.js";

const ALL_AROUND = (2 * Math.PI) / RADIANS_PER_UNIT; // short sides
const SQUARES_OF_SKY = [4, 3];

/**
 * `frame` is the flat picture the form is placed in, its water line at `shore`; `reach` is what its layer covers; all in
 * short sides. `away` is how many metres the form is from the eyes.
 */
const ROUND = { plane: "stereographic", frame: [1, 0.6], shore: -0.186, reach: [2.2, 2.2] };
const WORLDS = {
  flame: { ...ROUND, away: 2.5 },
  mist: { ...ROUND, away: 3 },
  corona: { ...ROUND, away: 8 },
  veil: { plane: "mercator", frame: [2.2, 0.7], shore: -0.02, reach: [ALL_AROUND, 2.4], away: 100 },
};

/** Where a form is placed; see flatFrame. */
export const frameOf = (form) => ({ extent: WORLDS[form].frame, shore: WORLDS[form].shore });

/** The eyes of a picture, the upper one first: from where to where of its height they see, and their side. */
const EYES = {
  mono: [{ from: 0, to: 1, side: 0 }],
  stereo: [
    { from: 0.5, to: 1, side: -1 },
    { from: 0, to: 0.5, side: 1 },
  ],
};

function makeLayers(gl, width, height) {
  const layer = (part) => makeLayer(gl, Math.ceil(width / part), Math.ceil(height / part), gl.REPEAT, gl.CLAMP_TO_EDGE);
  return { sky: layer(4), picture: layer(2) };
}

function makePrograms(gl, plane) {
  return {
    sky: makeProgram(gl, COVER, SKY_AROUND),
    seen: makeProgram(gl, COVER, seenAround(plane)),
    finish: makeProgram(gl, COVER, FINISH),
    stars: makeProgram(gl, STAR_AROUND_VERTEX(plane), STAR_PIXEL),
    sparkCore: makeProgram(gl, SPARK_AROUND_VERTEX(plane), SPARK_CORE),
  };
}

function makeWorld(gl, { width, height, seed, parameters, projection }) {
  const { plane, reach, away } = WORLDS[parameters.form];
  const eyes = EYES[projection];
  const eyeHeight = height / eyes.length;
  const perUnit = (width / (2 * Math.PI)) * RADIANS_PER_UNIT;
  const form = makeForm(gl, {
    width: Math.ceil(reach[0] * perUnit),
    height: Math.ceil(reach[1] * perUnit),
    extent: reach,
    seed,
    form: parameters.form,
    isAlone: true,
    sky: SQUARES_OF_SKY,
  });
  const layers = makeLayers(gl, width, eyeHeight);
  const programs = makePrograms(gl, plane);
  const dispose = () =>
    [...Object.values(layers), ...Object.values(programs), form].forEach((held) => held.dispose());
  return { gl, form, layers, programs, eyes, reach, away, onePixel: 1 / perUnit, dispose };
}

function drawSky({ form, layers, programs }, uniforms) {
  cover(form, programs.sky, layers.sky, { ...uniforms, uNoise: 0 }, [form.layers.noise]);
}

function drawSeen({ form, layers, programs }, uniforms) {
  const { body, near, far, noise } = form.layers;
  const values = { ...uniforms, uBody: 0, uSky: 1, uNear: 2, uFar: 3, uNoise: 4, uFarStep: texel(far) };
  cover(form, programs.seen, layers.picture, values, [body, layers.sky, near, far, noise]);
}

function drawPoints({ gl, form, programs, onePixel }, uniforms, sparkCount) {
  gl.enable(gl.BLEND);
  gl.blendFuncSeparate(gl.ONE, gl.ONE_MINUS_SRC_COLOR, gl.ZERO, gl.ONE); // screen: lights never clip
  readFrom(gl, form.layers.near);
  for (const uWrap of [0, -1, 1]) {
    const values = { ...uniforms, uNear: 0, uPixel: 1.1 * onePixel, uGrow: 1, uWrap };
    programs.stars.use(values);
    form.stars.draw(form.stars.count);
    programs.sparkCore.use(values);
    form.sparks.draw(sparkCount);
  }
  gl.disable(gl.BLEND);
}

function drawEye(world, uniforms, target, sparkCount, { from, to, side }) {
  const { gl, form, layers, programs, away } = world;
  const seen = { ...uniforms, uEye: side * Math.asin(EYES_APART / 2 / away), uFormAway: away };
  drawSeen(world, seen);
  const part = { ...target, y: Math.round(from * target.height), height: Math.round((to - from) * target.height) };
  cover(form, programs.finish, part, { ...seen, uPicture: 0 }, [layers.picture]);
  drawInto(gl, part);
  gl.enable(gl.SCISSOR_TEST);
  gl.scissor(0, part.y, part.width, part.height);
  drawPoints(world, seen, sparkCount);
  gl.disable(gl.SCISSOR_TEST);
}

/** Like makePasses, for a picture of all directions; `projection` is mono, or stereo with the left eye on top. */
export function makeSpherePasses(gl, settings) {
  const world = makeWorld(gl, settings);
  const { form, eyes, reach } = world;
  const draw = (moment) => {
    const framebuffer = gl.getParameter(gl.DRAW_FRAMEBUFFER_BINDING);
    const target = { framebuffer, width: settings.width, height: settings.height };
    const uniforms = { ...moment.uniforms, uExtent: reach, uReach: reach };
    const sparkCount = moment.writeSparks(form.sparks.data);
    form.sparks.upload(sparkCount);
    form.plain();
    drawBody(form, { ...moment, uniforms }, sparkCount);
    drawBloom(form, uniforms);
    drawSky(world, uniforms);
    eyes.forEach((eye) => drawEye(world, uniforms, target, sparkCount, eye));
  };
  return { draw, dispose: world.dispose };
}
