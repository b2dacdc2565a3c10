// Points of light as small quads: sparks stretched along their way, and stars.
import { HEAD } from "./shared.js";

/** Instance: head x, y, tail x, y (short sides); radius, heat 0..1, brightness, unused. */
export const SPARK = `
layout(location = 0) in vec4 aWay;
layout(location = 1) in vec4 aBody;
uniform float uGrow, uPixel;
out vec2 place;
out vec3 look;
/** Where this corner of the spark's quad is; fills in what the pixels are told. */
vec2 sparkCorner() {
  vec2 along = aWay.xy - aWay.zw;
  float length_ = length(along);
  vec2 dir = length_ > 1e-6 ? along / length_ : vec2(0, 1);
  float radius = max(aBody.x * uGrow, uPixel);
  float thin = aBody.x * uGrow / radius;
  float stretch = length_ / radius;
  vec2 corner = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1)) * 2.0 - 1.0;
  place = vec2(corner.x, corner.y > 0.0 ? 1.0 : -1.0 - stretch);
  look = vec3(aBody.y, aBody.z * thin, stretch);
  return aWay.xy + radius * (dir * place.y + vec2(-dir.y, dir.x) * place.x);
}`;

export const SPARK_VERTEX = `${HEAD}
${SPARK}
uniform vec2 uExtent;
void main() {
  vec2 at = sparkCorner();
  gl_Position = vec4(at / uExtent * 2.0, 0.0, 1.0);
}`;

const CAPSULE = `
float capsule(vec2 at, float stretch) {
  float y = at.y > 0.0 ? at.y : min(at.y + stretch, 0.0);
  float fall = 1.0 - min(dot(vec2(at.x, y), vec2(at.x, y)), 1.0);
  float fade = 1.0 + min(at.y, 0.0) / (stretch + 1.0);
  return fall * fall * fade;
}`;

/** The glow of a spark, as weights for the palette. */
export const SPARK_WEIGHTS = `${HEAD}
in vec2 place;
in vec3 look;
out vec4 weights;
${CAPSULE}
void main() {
  float light = capsule(place, look.z) * look.y;
  weights = light * vec4(0.30, 0.45, 0.35 * look.x, 0.0);
}`;

/** The crisp heart of a spark, on the finished picture. */
export const SPARK_CORE = `${HEAD}
in vec2 place;
in vec3 look;
uniform mat4 uPalette;
out vec4 pixel;
${CAPSULE}
void main() {
  float light = capsule(place, look.z) * look.y;
  vec3 tint = (uPalette * vec4(0.3, 1.2, 2.4 * look.x, 0.0)).rgb;
  pixel = vec4(sqrt(1.0 - exp(-tint * light * light * 3.2)), 1.0);
}`;

/** Instance: place x, y 0..1, depth 0..1, size 0..1; warmth 0..1, twinkle rate (whole), phase, glint 0..1. */
export const STAR_VERTEX = `${HEAD}
layout(location = 0) in vec4 aPlace;
layout(location = 1) in vec4 aLook;
uniform sampler2D uNear;
uniform vec2 uExtent, uOrigin, uSize, uStarDrift;
uniform float uTurn, uHighs, uStars, uPixel, uWater, uWaterLine, uCorona;
out vec2 place;
out vec4 colour;
void main() {
  vec2 at01 = fract(aPlace.xy + uStarDrift * (0.35 + aPlace.z));
  vec2 at = (at01 - 0.5) * uExtent * 1.04;
  float twinkle = 0.5 + 0.5 * sin(uTurn * aLook.y + aLook.z);
  float glitter = uHighs * twinkle * twinkle * aLook.w;
  float wanted = (0.0019 + 0.0085 * aPlace.w * aPlace.w) * (1.0 + 0.8 * glitter);
  float radius = max(wanted, uPixel);
  float thin = wanted / radius;
  vec3 behind = textureLod(uNear, at / uExtent + 0.5, 0.0).rgb;
  float hidden = 1.0 / (1.0 + 9.0 * dot(behind, vec3(0.3, 0.5, 0.2)));
  float light = (0.22 + 1.9 * aPlace.w) * (0.5 + 0.5 * twinkle) + 1.6 * glitter;
  float above = mix(1.0, smoothstep(0.0, 0.10, at.y - uWaterLine), step(1e-6, uWater));
  float beside = mix(1.0, smoothstep(1.0, 1.1, length(at - uOrigin) / uSize.x), uCorona);
  light *= uStars * hidden * thin * thin * above * beside;
  vec3 tint = mix(vec3(1.0, 0.80, 0.62), vec3(0.66, 0.80, 1.0), aLook.x);
  colour = vec4(tint * light, glitter);
  place = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1)) * 2.0 - 1.0;
  gl_Position = vec4((at + place * radius) / uExtent * 2.0, 0.0, 1.0);
}`;

export const STAR_PIXEL = `${HEAD}
in vec2 place;
in vec4 colour;
out vec4 pixel;
void main() {
  float far = dot(place, place);
  float fall = max(1.0 - far, 0.0);
  float heart = fall * fall * (0.06 / (0.06 + far));
  vec2 arm = max(vec2(0.0), 1.0 - abs(place.yx) * 14.0) * fall * fall;
  pixel = vec4(1.0 - exp(-colour.rgb * (heart * 1.5 + (arm.x + arm.y) * colour.a * 0.45)), 1.0);
}`;
