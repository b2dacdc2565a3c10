// Bakes the tile of noise that all other passes sample: gradient noise, seamless, rough in x and y, smooth in z and w.
import { HASH, HEAD } from "./shared.js";

export const NOISE_CELLS = 8;

export const BAKE_NOISE = `${HEAD}
in vec2 uv;
uniform uint uSeed;
out vec4 result;
${HASH}
float corner(uvec2 cell, vec2 offset, uint salt) {
  float turn = float(mixBits(cell.x + 0x9e3779b9u * mixBits(cell.y + 0x85ebca6bu * mixBits(salt))) >> 8);
  float angle = turn * (6.28318530718 / 16777216.0);
  return dot(vec2(cos(angle), sin(angle)), offset);
}
float gradientNoise(vec2 at, uint period, uint salt) {
  vec2 low = floor(at), f = at - low;
  uvec2 a = uvec2(low) % period, b = (a + 1u) % period;
  vec2 s = f * f * f * (f * (f * 6.0 - 15.0) + 10.0);
  float bottom = mix(corner(a, f, salt), corner(uvec2(b.x, a.y), f - vec2(1, 0), salt), s.x);
  float top = mix(corner(uvec2(a.x, b.y), f - vec2(0, 1), salt), corner(b, f - vec2(1, 1), salt), s.x);
  return mix(bottom, top, s.y);
}
float fractal(vec2 at, uint salt, uint octaves) {
  float sum = 0.0, weight = 1.0;
  uint period = ${NOISE_CELLS}u;
  for (uint octave = 0u; octave < octaves; octave += 1u) {
    sum += weight * gradientNoise(at, period, salt + octave);
    at *= 2.0; period *= 2u; weight *= 0.46;
  }
  return sum * 1.4;
}
void main() {
  vec2 at = uv * float(${NOISE_CELLS});
  uint salt = mixBits(uSeed) << 5;
  vec2 rough = vec2(fractal(at, salt, 4u), fractal(at, salt + 8u, 4u));
  vec2 smooth_ = vec2(fractal(at, salt + 16u, 2u), fractal(at, salt + 24u, 2u));
  result = vec4(rough, smooth_) * 0.25 + 0.5;
}`;
