// The passes of one picture, from the small layers up to the full-size target.
import { makeStage } from "./stage.js";
import { drawInto, fill, readFrom } from "./gpu.js";
import { tintOf } from "./palette.js";

export const texel = (layer) => [1 / layer.width, 1 / layer.height];

export function cover({ gl }, program, target, uniforms, sources) {
  drawInto(gl, target);
  readFrom(gl, ...sources);
  program.use(uniforms);
  fill(gl);
}

function clear(gl, layer) {
  drawInto(gl, layer);
  gl.clearColor(0, 0, 0, 0);
  gl.clear(gl.COLOR_BUFFER_BIT);
}

/** The form fills a part of the picture: do not shade the rest. */
function scissorTo({ gl, extent }, layer, [left, bottom, right, top]) {
  const place = (at, side, size) => Math.round(Math.min(1, Math.max(0, at / extent[side] + 0.5)) * size);
  const [x, y] = [place(left, 0, layer.width), place(bottom, 1, layer.height)];
  gl.enable(gl.SCISSOR_TEST);
  gl.scissor(x, y, place(right, 0, layer.width) - x, place(top, 1, layer.height) - y);
}

export function drawBody(stage, { uniforms, bounds }, sparkCount) {
  const { gl, layers, programs, sparks, onePixel } = stage;
  clear(gl, layers.body);
  scissorTo(stage, layers.body, bounds);
  cover(stage, programs.body, layers.body, { ...uniforms, uNoise: 0 }, [layers.noise]);
  gl.disable(gl.SCISSOR_TEST);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE);
  programs.sparkGlow.use({ ...uniforms, uGrow: 2.6, uPixel: 2 * onePixel });
  sparks.draw(sparkCount);
  gl.disable(gl.BLEND);
}

export function drawBloom(stage, uniforms) {
  const { body, near, nearSide, far, farSide } = stage.layers;
  const { shrink, blur } = stage.programs;
  const spread = (source, target, x, y) =>
    cover(stage, blur, target, { uLight: 0, uStep: [x / source.width, y / source.height] }, [source]);
  cover(stage, shrink, near, { ...uniforms, uBody: 0, uStep: texel(body) }, [body]);
  spread(near, nearSide, 1, 0);
  spread(nearSide, near, 0, 1);
  spread(near, far, 1, 1);
  spread(far, farSide, 1.4, 0);
  spread(farSide, far, 0, 1.4);
}

function drawSky(stage, uniforms) {
  const { sky, near, far, noise } = stage.layers;
  const values = { ...uniforms, uNear: 0, uFar: 1, uNoise: 2, uFarStep: texel(far) };
  cover(stage, stage.programs.sky, sky, values, [near, far, noise]);
}

function composite(stage, uniforms) {
  const { gl, extent, programs, layers } = stage;
  const { width, height } = layers.picture;
  const line = Math.round((uniforms.uWaterLine / extent[1] + 0.5) * height);
  const wet = uniforms.uWater > 0 ? line : 0;
  const values = { ...uniforms, uBody: 0, uSky: 1, uNoise: 2, uNear: 3 };
  const sources = [layers.body, layers.sky, layers.noise, layers.near];
  gl.enable(gl.SCISSOR_TEST);
  gl.scissor(0, wet, width, height - wet);
  cover(stage, programs.composite, layers.picture, values, sources);
  if (wet > 0) {
    gl.scissor(0, 0, width, wet);
    cover(stage, programs.water, layers.picture, values, sources);
  }
  gl.disable(gl.SCISSOR_TEST);
}

function drawPoints(stage, uniforms, target, sparkCount) {
  const { gl, layers, programs, sparks, stars, onePixel } = stage;
  drawInto(gl, target);
  gl.enable(gl.BLEND);
  gl.blendFuncSeparate(gl.ONE, gl.ONE_MINUS_SRC_COLOR, gl.ZERO, gl.ONE); // screen: lights never clip
  readFrom(gl, layers.near);
  programs.stars.use({ ...uniforms, uNear: 0, uPixel: 1.1 * onePixel });
  stars.draw(stars.count);
  programs.sparkCore.use({ ...uniforms, uGrow: 1, uPixel: 1.1 * onePixel });
  sparks.draw(sparkCount);
  gl.disable(gl.BLEND);
}

/** The picture at full size with its points over it. */
function finish(stage, uniforms, target, sparkCount) {
  cover(stage, stage.programs.finish, target, { ...uniforms, uPicture: 0 }, [stage.layers.picture]);
  drawPoints(stage, uniforms, target, sparkCount);
}

/** The same with nothing behind it. */
function finishTransparent(stage, uniforms, target, sparkCount) {
  const { picture, points } = stage.layers;
  clear(stage.gl, points);
  drawPoints(stage, uniforms, points, sparkCount);
  const values = { ...uniforms, uTint: stage.tint, uPicture: 0, uPoints: 1 };
  cover(stage, stage.programs.finish, target, values, [picture, points]);
}

/** {draw(moment), dispose()}: `moment` is what flow(frame) returns; draws into the bound framebuffer. */
export function makePasses(gl, settings) {
  const stage = { ...makeStage(gl, settings), tint: tintOf(settings.parameters) };
  const paint = settings.isTransparent ? finishTransparent : finish;
  const draw = (moment) => {
    const framebuffer = gl.getParameter(gl.DRAW_FRAMEBUFFER_BINDING);
    const target = { framebuffer, width: settings.width, height: settings.height };
    const sparkCount = moment.writeSparks(stage.sparks.data);
    stage.sparks.upload(sparkCount);
    stage.plain();
    drawBody(stage, moment, sparkCount);
    drawBloom(stage, moment.uniforms);
    drawSky(stage, moment.uniforms);
    composite(stage, moment.uniforms);
    paint(stage, moment.uniforms, target, sparkCount);
  };
  return { draw, dispose: stage.dispose };
}
