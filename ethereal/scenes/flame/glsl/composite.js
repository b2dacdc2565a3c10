// Sky and flame through a film curve at half the size, mirrored below the water line; then dithered at full size.
import { HASH, HEAD, NOISE } from "./shared.js";

export const FILM = `
vec3 skyAt(vec2 at) {
  vec3 root = texture(uSky, at).rgb;
  return root * root;
}
uniform float uExposure;
vec3 film(vec3 light) {
  vec3 x = light * uExposure;
  float most = max(max(x.r, x.g), max(x.b, 1e-5));
  vec3 bleached = 1.0 - exp(-x), coloured = x * ((1.0 - exp(-most)) / most);
  vec3 curve = sqrt(mix(coloured, bleached, 0.72));
  return curve * (0.66 + 0.31 * curve);
}`;

export const COMPOSITE = `${HEAD}
in vec2 uv;
uniform sampler2D uBody, uSky;
uniform mat4 uPalette;
out vec4 pixel;
${FILM}
void main() {
  vec3 light = skyAt(uv) + (uPalette * texture(uBody, uv)).rgb;
  pixel = vec4(film(light), 1.0);
}`;

export const WATER = `${HEAD}
in vec2 uv;
uniform sampler2D uBody, uSky, uNear;
uniform mat4 uPalette;
uniform vec2 uExtent;
uniform vec4 uRipple;
uniform float uWater, uWaterLine;
out vec4 pixel;
${FILM}${NOISE}
void main() {
  vec2 p = (uv - 0.5) * uExtent;
  float depth = max(uWaterLine - p.y, 0.0);
  float near = depth / (depth + 0.10);
  vec2 plane = vec2(p.x * (2.2 - 1.2 * near), -0.9 / (depth + 0.05));
  vec2 wave = noise(plane + uRipple.xy).zx + 0.6 * noise(plane * vec2(1.9, 1.4) + uRipple.zw).wy;
  vec2 shift = wave * (vec2(0.004, 0.002) + vec2(0.09, 0.30) * depth);
  vec2 at = (vec2(p.x, uWaterLine + depth * 1.15) + shift) / uExtent + 0.5;
  vec3 above = skyAt(at) + 0.55 * texture(uNear, at).rgb + 0.6 * (uPalette * texture(uBody, at)).rgb;
  float mirror = uWater * mix(0.75, 0.26, near) * (1.0 + 0.5 * wave.y);
  pixel = vec4(film(skyAt(uv) * (0.45 - 0.30 * uWater) + above * mirror), 1.0);
}`;

/** The finished picture at full size; noise finer than a step of eight bits keeps dark gradients from banding. */
export const FINISH = `${HEAD}
in vec2 uv;
uniform sampler2D uPicture;
uniform uint uFrame;
out vec4 pixel;
${HASH}
void main() {
  uvec2 cell = uvec2(gl_FragCoord.xy);
  uint bits = mixBits(cell.x + (cell.y << 16) + uFrame * 0x9e3779b9u);
  vec3 grain = vec3(bits & 1023u, (bits >> 10) & 1023u, (bits >> 20) & 1023u) / 1023.0;
  pixel = vec4(texture(uPicture, uv).rgb + (grain - 0.5) * (1.6 / 255.0), 1.0);
}`;
