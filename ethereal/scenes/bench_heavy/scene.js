// A heavy load for measurements: smoke made of noise that is bent by noise, twice, in every pixel. Needs no music.
import { makeProgram } from "../runtime.js";

export const parameters = {};
export const expects = { motion: true, notBlack: true };

const COVER = `#version 300 es
void main() {
  vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

const SMOKE = `#version 300 es
precision highp float;
precision highp int;
uniform float seconds;
uniform uint seed;
uniform float height;
out vec4 colour;
// In whole numbers, which every driver computes alike.
uint mixed(uint word) {
  word = (word ^ (word >> 16)) * 0x7feb352du;
  word = (word ^ (word >> 15)) * 0x846ca68bu;
  return word ^ (word >> 16);
}
float dice(vec2 cell) {
  uint x = uint(int(cell.x));
  uint y = uint(int(cell.y));
  return float(mixed(x + mixed(y + seed)) >> 8) / 16777216.0;
}
float noise(vec2 at) {
  vec2 cell = floor(at);
  vec2 in_cell = fract(at);
  vec2 way = in_cell * in_cell * (3.0 - 2.0 * in_cell);
  float low = mix(dice(cell), dice(cell + vec2(1.0, 0.0)), way.x);
  float high = mix(dice(cell + vec2(0.0, 1.0)), dice(cell + vec2(1.0, 1.0)), way.x);
  return mix(low, high, way.y);
}
float smoke(vec2 at) {
  float sum = 0.0;
  float weight = 0.5;
  for (int octave = 0; octave < 5; octave++) {
    sum += weight * noise(at);
    at = mat2(1.6, 1.2, -1.2, 1.6) * at;
    weight *= 0.5;
  }
  return sum;
}
void main() {
  vec2 at = 4.0 * gl_FragCoord.xy / height;
  vec2 bent = vec2(smoke(at + 0.2 * seconds), smoke(at + 5.2 - 0.15 * seconds));
  vec2 again = vec2(smoke(at + 2.0 * bent + 1.7), smoke(at + 2.0 * bent + 9.2 + 0.1 * seconds));
  float thick = smoke(at + 2.0 * again);
  vec3 fire = mix(vec3(0.02, 0.02, 0.1), vec3(0.9, 0.35, 0.1), thick * thick);
  colour = vec4(mix(fire, vec3(0.3, 0.5, 0.9), 0.5 * bent.x * again.y), 1.0);
}`;

export function create(gl, { height, seed, fps }) {
  const program = makeProgram(gl, COVER, SMOKE);
  const cover = gl.createVertexArray();
  const set = (name, value) => gl.uniform1f(gl.getUniformLocation(program, name), value);
  const draw = (frame) => {
    gl.useProgram(program);
    gl.bindVertexArray(cover);
    set("seconds", frame / fps);
    gl.uniform1ui(gl.getUniformLocation(program, "seed"), seed);
    set("height", height);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  };
  const dispose = () => {
    gl.deleteProgram(program);
    gl.deleteVertexArray(cover);
  };
  return { draw, dispose };
}
