// With nothing behind it: the glow around the form without a sky, and the finished light lifted off its black.
import { HASH, HEAD, TENT } from "./shared.js";

/** The light the form throws into the air, as roots like the sky's; it ends before the picture does. */
export const GLOW = `${HEAD}
in vec2 uv;
uniform sampler2D uNear, uFar;
uniform vec2 uExtent, uOrigin, uSize, uFarStep;
uniform float uGlow, uEclipse;
out vec4 light;
${TENT}
void main() {
  vec2 p = (uv - 0.5) * uExtent;
  float hidden = uEclipse * smoothstep(1.02, 0.97, length(p - uOrigin) / uSize.x);
  float inside = smoothstep(1.0, 0.25, length(uv * 2.0 - 1.0)); // round: a box would show
  vec3 glow = uGlow * (texture(uNear, uv).rgb * 0.26 + tent(uv) * 0.55) * (1.0 - hidden);
  light = vec4(sqrt(glow) * inside, 1.0);
}`;

/**
 * Straight alpha: what is as bright as it can be is opaque, black is nothing. So over black the picture is the light
 * itself. Colours are worked out before they are cut to eight bits, and run on as `uTint` where there is no light:
 * neither the smaller colour planes of a video nor its blocks drag black into the edges.
 */
export const LIFT = `${HEAD}
in vec2 uv;
uniform sampler2D uPicture, uPoints;
uniform vec3 uTint;
uniform uint uFrame;
out vec4 pixel;
${HASH}
void main() {
  vec3 form = texture(uPicture, uv).rgb, points = texture(uPoints, uv).rgb;
  vec3 light = clamp(form + points - form * points, 0.0, 1.0);
  light *= smoothstep(0.0, 0.12, max(max(light.r, light.g), light.b)); // a sky would hide how the faintest light ends
  float most = max(max(light.r, light.g), light.b);
  uvec2 cell = uvec2(gl_FragCoord.xy);
  uint bits = mixBits(cell.x + (cell.y << 16) + uFrame * 0x9e3779b9u);
  float grain = float(bits & 1023u) / 1023.0 - 0.5;
  float alpha = most + grain * (1.6 / 255.0) * smoothstep(0.0, 3.0 / 255.0, most);
  pixel = vec4((light + uTint * 0.01) / (most + 0.01), alpha);
}`;
