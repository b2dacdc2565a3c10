// Stars on the sky and sparks before it, as small quads bent onto the sphere.
import { SPARK } from "../glsl/points.js";
import { HEAD } from "../glsl/shared.js";
import { DIRECTIONS, PLANES } from "./directions.js";

/** Where a quad would be smeared over the picture: at the poles. */
const POLE = 1.48;

/** `uWrap` draws the same points again a turn to the side, for those that the seam cuts. */
export const STAR_AROUND_VERTEX = (plane) => `${HEAD}
layout(location = 0) in vec4 aPlace;
layout(location = 1) in vec4 aLook;
uniform sampler2D uNear;
uniform vec2 uReach, uOrigin, uSize, uStarDrift;
uniform float uTurn, uHighs, uStars, uPixel, uWater, uCorona, uEye, uWrap;
out vec2 place;
out vec4 colour;
${DIRECTIONS}${PLANES[plane]}
void main() {
  float turned = fract(aPlace.x + uStarDrift.x * (0.35 + aPlace.z));
  vec2 angles = vec2((turned - 0.5) * 2.0 * PI, asin(2.0 * aPlace.y - 1.0));
  float twinkle = 0.5 + 0.5 * sin(uTurn * aLook.y + aLook.z);
  float glitter = uHighs * twinkle * twinkle * aLook.w;
  float wanted = 0.4 * (0.0019 + 0.0085 * aPlace.w * aPlace.w) * (1.0 + 0.8 * glitter);
  float radius = max(wanted, uPixel);
  float thin = wanted / radius;
  vec2 at = planeOf(vec2(angles.x + uEye * fades(angles.y), angles.y));
  vec2 layer = at / uReach + 0.5;
  float inside = step(length(layer * 2.0 - 1.0), 0.9);
  vec3 behind = inside * textureLod(uNear, layer, 0.0).rgb;
  float hidden = 1.0 / (1.0 + 9.0 * dot(behind, vec3(0.3, 0.5, 0.2)));
  float light = (0.22 + 1.9 * aPlace.w) * (0.5 + 0.5 * twinkle) + 1.6 * glitter;
  float above = mix(1.0, smoothstep(0.0, 0.10, angles.y / UNIT), step(1e-6, uWater));
  float beside = mix(1.0, smoothstep(1.0, 1.1, length(at - uOrigin) / uSize.x), uCorona);
  light *= uStars * hidden * thin * thin * above * beside;
  vec3 tint = mix(vec3(1.0, 0.80, 0.62), vec3(0.66, 0.80, 1.0), aLook.x);
  colour = vec4(tint * light, glitter);
  place = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1)) * 2.0 - 1.0;
  vec2 corner = angles + place * radius * UNIT / vec2(max(cos(angles.y), 0.09), 1.0);
  vec2 shown = placeOf(corner) * 2.0 - 1.0 + vec2(2.0 * uWrap, 0.0);
  gl_Position = abs(angles.y) < ${POLE} ? vec4(shown, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
}`;

/** The largest sparks are the nearest. */
export const SPARK_AROUND_VERTEX = (plane) => `${HEAD}
${SPARK}
uniform float uEye, uWrap;
${DIRECTIONS}${PLANES[plane]}
void main() {
  vec2 head = anglesOn(aWay.xy);
  vec2 at = anglesOn(sparkCorner());
  at.x -= uEye * fades(at.y) * mix(0.8, 1.6, smoothstep(0.0016, 0.0042, aBody.x));
  vec2 shown = placeOf(at) * 2.0 - 1.0 + vec2(2.0 * uWrap, 0.0);
  bool isWhole = abs(head.y) < ${POLE} && abs(at.x - head.x) < 1.0;
  gl_Position = isWhole ? vec4(shown, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
}`;
