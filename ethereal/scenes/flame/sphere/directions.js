// Directions: where a texel of a spherical picture looks, and where on the form's plane that is.
//
// x is to the right, y up, z ahead. The picture is equirectangular: longitude -pi..pi from left to right with 0 ahead,
// latitude -pi/2..pi/2 from bottom to top. Both planes keep angles, so that a form has its own shape wherever it is
// looked at: the stereographic one (from behind the viewer) keeps circles round, Mercator's goes all around.

/** Radians at the middle of the plane that a short side of a flat picture covers. */
export const RADIANS_PER_UNIT = 1.9;

/** Metres between the eyes, and down to the water: somebody seated. */
export const EYES_APART = 0.064;
export const EYE_HEIGHT = 0.85;

const number = (value) => value.toFixed(6);

export const DIRECTIONS = `
const float PI = 3.14159265359;
const float UNIT = ${number(RADIANS_PER_UNIT)};
vec2 anglesAt(vec2 uv) { return (uv - 0.5) * vec2(2.0 * PI, PI); }
vec2 placeOf(vec2 angles) { return angles / vec2(2.0 * PI, PI) + 0.5; }
vec3 directionOf(vec2 angles) {
  return vec3(sin(angles.x) * cos(angles.y), sin(angles.y), cos(angles.x) * cos(angles.y));
}
vec2 anglesOf(vec3 d) { return vec2(atan(d.x, d.z), asin(clamp(d.y, -1.0, 1.0))); }
/** How far two eyes see a thing apart: less and less towards the poles, where there is no left and right. */
float fades(float latitude) { return smoothstep(0.0, 0.35, cos(latitude)); }`;

/** planeOf(angles) and its inverse anglesOn(plane), in short sides. */
export const PLANES = {
  stereographic: `
vec2 planeOf(vec2 angles) {
  vec3 d = directionOf(angles);
  return d.xy * (2.0 / UNIT) / max(1.0 + d.z, 1e-3);
}
vec2 anglesOn(vec2 at) {
  vec2 half_ = at * (UNIT * 0.5);
  float square = dot(half_, half_);
  return anglesOf(vec3(2.0 * half_, 1.0 - square) / (1.0 + square));
}`,
  mercator: `
vec2 planeOf(vec2 angles) {
  float latitude = clamp(angles.y, -1.5, 1.5);
  return vec2(angles.x, asinh(tan(latitude))) / UNIT;
}
vec2 anglesOn(vec2 at) { return vec2(at.x * UNIT, atan(sinh(at.y * UNIT))); }`,
};
