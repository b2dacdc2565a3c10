// The sky all around, and what reaches the eye from each direction: sky, form, glow, and water that mirrors them.
import { HEAD, NOISE, TENT } from "../glsl/shared.js";
import { FILM } from "../glsl/composite.js";
import { DIRECTIONS, EYE_HEIGHT, PLANES } from "./directions.js";

/** Noise on the sphere, without seam or pole: three planes of it, blended so that its contrast stays. */
const NOISE_AROUND = `
vec4 noiseAround(vec3 at, vec3 weights) {
  return (noise(at.yz) * weights.x + noise(at.zx + 2.7) * weights.y + noise(at.xy + 5.3) * weights.z) / length(weights);
}`;

/** Sky and nebula at a quarter of the size, as roots; how hazy the air is goes into alpha, halved. */
export const SKY_AROUND = `${HEAD}
in vec2 uv;
uniform vec2 uLaceDrift;
uniform vec4 uDrift;
uniform vec3 uSkyColor, uNebulaColor, uHazeColor;
uniform float uNebula, uShimmer;
out vec4 light;
${NOISE}${NOISE_AROUND}${DIRECTIONS}
void main() {
  vec2 angles = anglesAt(uv);
  vec3 d = directionOf(angles);
  vec3 weights = pow(abs(d), vec3(4.0));
  weights /= weights.x + weights.y + weights.z;
  vec4 cloud = noiseAround(d * 0.75 + uDrift.xyx, weights);
  vec4 veil = noiseAround(d * 1.45 + cloud.xyz * 0.75 + uDrift.zwz, weights);
  vec4 lace = noiseAround(d * 3.6 + veil.xyz * 0.8 + uLaceDrift.xyx, weights);
  float body = veil.x + 0.55 * cloud.z + 0.35 * lace.x;
  float dense = smoothstep(-0.38, 0.90, body);
  float lanes = 1.0 - 0.75 * smoothstep(0.0, 0.55, veil.y + 0.45 * lace.y - 0.1);
  float rim = smoothstep(0.16, 0.0, abs(body - 0.42 + 0.2 * lace.z));
  vec3 tint = mix(uNebulaColor, uHazeColor, smoothstep(-0.45, 0.45, cloud.w + 0.4 * lace.w));
  float ahead = exp(-1.2 * (1.0 - d.z));
  vec3 nebula = tint * (dense * dense * lanes * (0.55 + 0.6 * ahead) + 0.10 * rim * dense);
  float horizon = exp(-3.2 * abs(angles.y) / UNIT);
  vec3 sky = uSkyColor * (0.22 + 0.55 * horizon) + nebula * uNebula * uShimmer;
  light = vec4(sqrt(sky), 0.5 * (0.55 + 0.8 * dense + 0.30 * lace.z));
}`;

/** What one eye sees in each direction, through the film curve, at half the size. \`uEye\` is its shift in radians. */
export const seenAround = (plane) => `${HEAD}
in vec2 uv;
uniform sampler2D uBody, uSky, uNear, uFar;
uniform mat4 uPalette;
uniform vec2 uReach, uOrigin, uSize, uFarStep;
uniform vec4 uRipple;
uniform float uEye, uFormAway, uGlow, uWater, uWaterLine, uEclipse;
out vec4 pixel;
${FILM}${NOISE}${DIRECTIONS}${PLANES[plane]}
${TENT}
/** How much of the form is kept at a place of its layer: it ends, round, before the layer does. */
float within(vec2 layer) { return smoothstep(1.0, 0.55, length(layer * 2.0 - 1.0)); }
vec3 bodyAt(vec2 p) {
  vec2 layer = p / uReach + 0.5;
  return within(layer) * (uPalette * texture(uBody, layer)).rgb;
}
vec3 glowAt(vec2 p, float haze) {
  vec2 layer = p / uReach + 0.5;
  return within(layer) * uGlow * (texture(uNear, layer).rgb * 0.26 + tent(layer) * haze * 0.70);
}
float discAt(vec2 p) { return uEclipse * smoothstep(1.02, 0.97, length(p - uOrigin) / uSize.x); }
vec3 mirrored(vec2 angles, vec2 p) {
  float depth = -angles.y / UNIT;
  float near = depth / (depth + 0.10);
  float turned = angles.x + uEye * fades(angles.y) * uFormAway * tan(min(-angles.y, 1.5)) / ${EYE_HEIGHT.toFixed(3)};
  vec2 ground = vec2(sin(turned), cos(turned)) / tan(max(-angles.y, 0.03));
  vec2 wave = noise(ground * 0.9 + uRipple.xy).zx + 0.6 * noise(ground * vec2(1.9, 1.4) + uRipple.zw).wy;
  wave *= smoothstep(30.0, 4.0, length(ground));
  vec2 shift = wave * (vec2(0.004, 0.002) + vec2(0.05, 0.14) * min(depth, 0.6)) * cos(angles.y);
  vec2 up = vec2(angles.x + UNIT * shift.x, abs(-angles.y + UNIT * shift.y));
  vec4 root = texture(uSky, placeOf(up));
  float below = uWaterLine - p.y;
  vec2 above = vec2(p.x + shift.x, uWaterLine + abs(below) * 1.15 + shift.y);
  vec3 form = bodyAt(above) * smoothstep(0.0, 0.01, below) + glowAt(above, 1.0);
  return (root.rgb * root.rgb + 0.8 * form) * uWater * mix(0.75, 0.26, near) * (1.0 + 0.5 * wave.y);
}
void main() {
  vec2 angles = anglesAt(uv);
  vec4 root = texture(uSky, uv);
  vec2 p = planeOf(vec2(angles.x + uEye * fades(angles.y), angles.y));
  float wet = uWater > 0.0 ? smoothstep(0.004, -0.004, angles.y) : 0.0;
  vec3 light = root.rgb * root.rgb * (1.0 - wet * (0.55 + 0.30 * uWater));
  if (wet > 0.0) light += wet * mirrored(vec2(angles.x, min(angles.y, -0.004)), p);
  float dry = mix(1.0, smoothstep(-0.01, 0.01, p.y - uWaterLine), step(1e-6, uWater));
  light = (light + (1.0 - 0.6 * wet) * glowAt(p, 2.0 * root.a)) * (1.0 - discAt(p)) + dry * bodyAt(p);
  pixel = vec4(film(light), 1.0);
}`;
