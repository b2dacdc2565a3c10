// Pieces of GLSL that more than one pass uses.

export const HEAD = `#version 300 es
precision highp float;
precision highp int;
`;

/** One triangle that covers the target; uv is 0..1 over it. */
export const COVER = `${HEAD}
out vec2 uv;
void main() {
  uv = vec2(float((gl_VertexID << 1) & 2), float(gl_VertexID & 2));
  gl_Position = vec4(uv * 2.0 - 1.0, 0.0, 1.0);
}`;

export const HASH = `
uint mixBits(uint x) {
  x ^= x >> 16; x *= 0x7feb352du; x ^= x >> 15; x *= 0x846ca68bu; x ^= x >> 16;
  return x;
}`;

/** Signed noise, four at once: rough in x and y, smooth in z and w; a cell per unit, repeats every 8. */
export const NOISE = `
uniform sampler2D uNoise;
vec4 noise(vec2 at) { return texture(uNoise, at * 0.125) * 4.0 - 2.0; }`;

/**
 * Thin bright lines where `value * count` is half-way between whole numbers. `fineStrands` widens and dims
 * lines that are thinner than a texel, so that they do not break into dots.
 */
export const STRANDS = `
float strands(float value, float count, float sharpness) {
  float away = abs(fract(value * count) - 0.5) * sharpness;
  return 1.0 / (1.0 + away * away);
}
float fineStrands(float value, float count, float sharpness) {
  float ramp = value * count;
  float least = 1.0 / (1.2 * fwidth(ramp) + 1e-4);
  float away = abs(fract(ramp) - 0.5) * min(sharpness, least);
  return min(1.0, 0.25 + 0.75 * least / sharpness) / (1.0 + away * away);
}`;

/** The widest blur of the light, smoothed over its coarse texels. */
export const TENT = `
vec3 tent(vec2 at) {
  vec2 d = uFarStep * 0.75;
  return 0.25 * (texture(uFar, at + d).rgb + texture(uFar, at - d).rgb
    + texture(uFar, at + vec2(d.x, -d.y)).rgb + texture(uFar, at + vec2(-d.x, d.y)).rgb);
}`;
