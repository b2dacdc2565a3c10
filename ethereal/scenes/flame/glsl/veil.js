// Curtains of light over the horizon, in the same four weights: outer, body, core, tip.
import { HEAD, NOISE, STRANDS } from "./shared.js";

export const VEIL_BODY = `${HEAD}
in vec2 uv;
uniform vec2 uExtent, uOrigin, uSize;
uniform vec4 uRise, uSway;
uniform float uTurbulence, uFilaments, uHeat, uDrive, uTear;
out vec4 weights;
${NOISE}${STRANDS}
/** One curtain; \`depth\` 0 is the nearest. Its foot wanders, its rays stand on the foot and fade upwards. */
vec4 curtain(vec2 p, float depth) {
  float scale = 1.0 + 0.30 * depth;
  vec4 path = noise(vec2(p.x * 0.66 * scale + 2.7 * depth + uSway.z * (1.0 + depth), 1.9 * depth + uRise.x));
  float foot = 0.13 + 0.22 * depth + (0.06 + 0.26 * uTurbulence) * path.z + 0.03 * path.x;
  float above = p.y / uSize.y - foot;
  float fold = p.x * scale + uTurbulence * 0.55 * path.w + 0.18 * above * path.y;
  vec4 ray = noise(vec2(fold * 2.3 + 4.1 * depth + uSway.w, uRise.y + 2.3 * depth + 0.04 * above));
  float thread = fineStrands(fold * 2.2 + 0.9 * ray.w + 0.08 * ray.x, 4.0, 6.0) * smoothstep(-0.2, 0.4, ray.y);
  float bundle = smoothstep(-0.40, 0.65, ray.z + 0.40 * ray.x + 0.35 * path.w);
  float light = (0.05 + 0.95 * bundle * bundle) * (0.62 + uFilaments * (0.55 * thread + 0.30 * ray.x));
  float reach = 0.055 + 0.17 * bundle * (0.6 + uTear) + 0.06 * uDrive;
  float up = exp(-max(above, 0.0) / reach);
  float high = exp(-max(above, 0.0) / (1.8 * reach)) * smoothstep(0.02, 0.30, above);
  float lower = smoothstep(-0.020 - 0.03 * depth, 0.014, above);
  float rim = exp(-above * above * 900.0) * (0.15 + 0.95 * bundle + 0.6 * uDrive * bundle);
  return (1.0 - 0.26 * depth) * vec4(
    0.10 * high + 0.10 * exp(-abs(above) * 5.0),
    0.85 * light * lower * up,
    light * rim * lower * 0.50,
    0.46 * light * lower * high
  );
}
void main() {
  vec2 p = (uv - 0.5) * uExtent - uOrigin;
  float sides = smoothstep(1.35, 0.45, abs(p.x) / uSize.x);
  p.x *= pow(1.1 / uSize.x, 0.7); // a narrow picture shows as many folds as a wide one
  vec4 bend = noise(p * vec2(0.75, 0.55) + vec2(uSway.w, -uRise.z));
  p += uTurbulence * vec2(0.20, 0.07) * bend.zw + vec2(0.3 * uSway.x, 0.0);
  weights = sides * uHeat * (curtain(p, 0.0) + curtain(p, 1.0) + curtain(p, 2.0)) * smoothstep(0.0, 0.06, p.y);
}`;
