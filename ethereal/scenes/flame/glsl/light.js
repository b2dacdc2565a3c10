// From weights to light: the first shrink of the bloom, its blur, and the sky behind the flame.
import { HEAD, NOISE, TENT } from "./shared.js";

/** Shrinks the body to an eighth of the size and gives it its colours. */
export const SHRINK_BODY = `${HEAD}
in vec2 uv;
uniform sampler2D uBody;
uniform vec2 uStep;
uniform mat4 uPalette;
out vec4 light;
void main() {
  vec4 weights = texture(uBody, uv + uStep * vec2(-1, -1)) + texture(uBody, uv + uStep * vec2(1, -1))
               + texture(uBody, uv + uStep * vec2(-1, 1)) + texture(uBody, uv + uStep * vec2(1, 1));
  light = vec4((uPalette * (weights * 0.25)).rgb, 1.0);
}`;

/** One direction of a Gaussian of nine texels, in five reads between texels. */
export const BLUR = `${HEAD}
in vec2 uv;
uniform sampler2D uLight;
uniform vec2 uStep;
out vec4 light;
void main() {
  light = texture(uLight, uv) * 0.2270270
    + (texture(uLight, uv + uStep * 1.3846154) + texture(uLight, uv - uStep * 1.3846154)) * 0.3162162
    + (texture(uLight, uv + uStep * 3.2307692) + texture(uLight, uv - uStep * 3.2307692)) * 0.0702703;
}`;

/** Sky, nebula, and the light the flame throws into the air, at a quarter of the size. */
export const SKY = `${HEAD}
in vec2 uv;
uniform sampler2D uNear, uFar;
uniform vec2 uExtent, uOrigin, uSize, uFarStep, uLaceDrift;
uniform vec4 uDrift;
uniform vec3 uSkyColor, uNebulaColor, uHazeColor;
uniform float uNebula, uGlow, uShimmer, uWaterLine, uEclipse;
out vec4 light;
${NOISE}
${TENT}
void main() {
  vec2 p = (uv - 0.5) * uExtent;
  vec4 cloud = noise(p * 0.7 + uDrift.xy);
  vec4 veil = noise(p * 1.35 + cloud.xy * 0.75 + uDrift.zw);
  vec4 lace = noise(p * 3.4 + veil.xy * 0.8 + uLaceDrift);
  float body = veil.x + 0.55 * cloud.z + 0.35 * lace.x;
  float dense = smoothstep(-0.30, 1.05, body);
  float lanes = 1.0 - 0.75 * smoothstep(0.0, 0.55, veil.y + 0.45 * lace.y - 0.1);
  float rim = smoothstep(0.16, 0.0, abs(body - 0.42 + 0.2 * lace.z));
  vec3 tint = mix(uNebulaColor, uHazeColor, smoothstep(-0.45, 0.45, cloud.w + 0.4 * lace.w));
  float middle = exp(-1.1 * dot(p, p) / dot(uExtent, uExtent) * 4.0);
  vec3 nebula = tint * (dense * dense * lanes * (0.5 + 0.7 * middle) + 0.10 * rim * dense);
  float horizon = exp(-3.2 * abs(p.y - uWaterLine));
  vec3 sky = uSkyColor * (0.22 + 0.55 * horizon) + nebula * uNebula * uShimmer;
  vec3 near = texture(uNear, uv).rgb, far = tent(uv);
  float haze = 0.55 + 0.8 * dense + 0.30 * lace.z;
  float corner = 1.0 - 0.6 * smoothstep(0.35, 1.1, length((uv - 0.5) * vec2(1.25, 1.35)) * 1.15);
  float hidden = uEclipse * smoothstep(1.02, 0.97, length(p - uOrigin) / uSize.x);
  vec3 all = (sky * corner + uGlow * (near * 0.26 + far * haze * 0.70)) * (1.0 - hidden);
  light = vec4(sqrt(all), 1.0); // as roots: the dark half of the range gets most of the steps
}`;
