// A test card: says which frame it is and which way is up, so that a test can read both from the pixels.
import { makeProgram } from "../runtime.js";

export const parameters = {};
export const expects = { motion: true, notBlack: true };
export const canBeTransparent = true;

const COVER = `#version 300 es
void main() {
  vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

// From the top: 24 blocks with the frame index, most significant bit left, in the top eighth; below it red grows
// to the right and green upwards, blue tells the seed; in the middle tenth a white bar as high as the loudness.
// With nothing behind it, the card fades out towards its foot, from half its height on.
const CARD = `#version 300 es
precision highp float;
precision highp int;
uniform vec2 size;
uniform uint index;
uniform float level;
uniform float blue;
uniform float clear;
out vec4 colour;
void main() {
  vec2 place = gl_FragCoord.xy / size;
  colour = vec4(place, blue, 1.0);
  if (abs(place.x - 0.5) < 0.05 && place.y < level) colour = vec4(1.0);
  if (place.y > 0.875) {
    uint bit = 23u - min(uint(place.x * 24.0), 23u);
    colour = vec4(vec3(float((index >> bit) & 1u)), 1.0);
  }
  colour.a = mix(1.0, min(2.0 * place.y, 1.0), clear);
}`;

export function create(gl, { width, height, seed, features, isTransparent }) {
  const program = makeProgram(gl, COVER, CARD);
  const cover = gl.createVertexArray();
  const at = (name) => gl.getUniformLocation(program, name);
  const [size, index, level, blue, clear] = ["size", "index", "level", "blue", "clear"].map(at);
  const draw = (frame) => {
    gl.useProgram(program);
    gl.bindVertexArray(cover);
    gl.uniform2f(size, width, height);
    gl.uniform1ui(index, frame);
    gl.uniform1f(level, 0.75 * features.value("rms", frame));
    gl.uniform1f(blue, (seed % 256) / 255);
    gl.uniform1f(clear, isTransparent ? 1 : 0);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  };
  const dispose = () => {
    gl.deleteProgram(program);
    gl.deleteVertexArray(cover);
  };
  return { draw, dispose };
}
