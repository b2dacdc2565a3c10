// A light load for measurements: a gradient that turns, and sparks adrift over it. Needs no music.
import { makeProgram } from "../runtime.js";

export const parameters = {};
export const expects = { motion: true, notBlack: true };

const SPARKS = 600;

const COVER = `#version 300 es
out vec2 place;
void main() {
  vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  place = 0.5 + 0.5 * corner;
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

const GRADIENT = `#version 300 es
precision highp float;
in vec2 place;
uniform float seconds;
out vec4 colour;
void main() {
  vec2 way = vec2(cos(0.3 * seconds), sin(0.3 * seconds));
  float along = 0.5 + 0.5 * dot(place - 0.5, way);
  colour = vec4(mix(vec3(0.05, 0.02, 0.15), vec3(0.5, 0.2, 0.1), along), 1.0);
}`;

// Each spark drifts upwards and round again, at its own speed, from a place that its number and the seed throw.
const DRIFT = `#version 300 es
precision highp float;
precision highp int;
uniform float seconds;
uniform uint seed;
uniform float size;
out float glow;
// In whole numbers, which every driver computes alike.
uint mixed(uint word) {
  word = (word ^ (word >> 16)) * 0x7feb352du;
  word = (word ^ (word >> 15)) * 0x846ca68bu;
  return word ^ (word >> 16);
}
float dice(uint salt) { return float(mixed(uint(gl_VertexID) * 8u + salt + mixed(seed)) >> 8) / 16777216.0; }
void main() {
  float speed = 0.03 + 0.1 * dice(1u);
  float x = dice(2u) + 0.02 * sin(seconds * (1.0 + dice(3u)));
  float y = fract(dice(4u) + speed * seconds);
  glow = 0.3 + 0.7 * dice(5u);
  gl_Position = vec4(2.0 * vec2(x, y) - 1.0, 0.0, 1.0);
  gl_PointSize = size * (0.5 + dice(6u));
}`;

const SPARK = `#version 300 es
precision highp float;
in float glow;
out vec4 colour;
void main() {
  float near = max(0.0, 1.0 - 2.0 * distance(gl_PointCoord, vec2(0.5)));
  colour = vec4(vec3(1.0, 0.7, 0.3) * glow * near * near, 1.0);
}`;

export function create(gl, { height, seed, fps }) {
  const gradient = makeProgram(gl, COVER, GRADIENT);
  const sparks = makeProgram(gl, DRIFT, SPARK);
  const nothing = gl.createVertexArray();
  const set = (program, name, value) => gl.uniform1f(gl.getUniformLocation(program, name), value);
  const draw = (frame) => {
    gl.bindVertexArray(nothing);
    gl.disable(gl.BLEND);
    gl.useProgram(gradient);
    set(gradient, "seconds", frame / fps);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE);
    gl.useProgram(sparks);
    set(sparks, "seconds", frame / fps);
    gl.uniform1ui(gl.getUniformLocation(sparks, "seed"), seed);
    set(sparks, "size", height / 60);
    gl.drawArrays(gl.POINTS, 0, SPARKS);
    gl.disable(gl.BLEND);
  };
  const dispose = () => {
    gl.deleteProgram(gradient);
    gl.deleteProgram(sparks);
    gl.deleteVertexArray(nothing);
  };
  return { draw, dispose };
}
