// A disc, dark or bright, with fire standing off its limb, in the same four weights: outer, body, core, tip.
import { HEAD, NOISE, STRANDS } from "./shared.js";

export const CORONA_BODY = `${HEAD}
in vec2 uv;
uniform vec2 uExtent, uOrigin, uSize;
uniform vec4 uRise, uSway;
uniform float uTurbulence, uFilaments, uHeat, uDrive, uTear, uDisc;
out vec4 weights;
${NOISE}${STRANDS}
vec4 surface(vec2 q, float r) {
  vec2 globe = q * (0.75 + 0.35 * r * r);
  vec4 slow = noise(globe * 1.6 + vec2(uSway.z, uSway.w));
  vec4 grain = noise(globe * 4.4 + slow.zw * 0.7 + vec2(uSway.w, uRise.x));
  float limb = sqrt(max(1.0 - r * r, 0.0));
  float cells = smoothstep(-0.5, 0.6, grain.x + 0.6 * slow.z);
  float veins = strands(grain.x * 0.6 + grain.z * 0.6 + 0.4 * slow.x, 1.3, 5.0);
  return vec4(0.45, 0.22 + 0.55 * cells + 0.3 * veins, 0.10 * cells + 0.35 * cells * veins * (0.4 + limb), 0.0)
    * (0.30 + 0.70 * limb);
}
void main() {
  vec2 q = ((uv - 0.5) * uExtent - uOrigin) / uSize.x;
  float r = length(q);
  float turn = atan(q.x, q.y) * (1.0 / 6.28318530718) + 0.5;
  float off = max(r - 1.0, 0.0);
  float reach = uSize.y / uSize.x;
  vec4 big = noise(vec2(turn * 8.0, 0.55 * off - uRise.x) + uSway.zw);
  turn += uTurbulence * (0.028 * big.z + 0.010 * big.x) * min(off * 2.0, 1.6);
  vec4 mid = noise(vec2(turn * 16.0 + 3.0 * uSway.z, 0.9 * off - uRise.y));
  turn += uTurbulence * 0.012 * mid.w * min(off * 3.0, 1.5);
  vec4 fine = noise(vec2(turn * 16.0, 0.30 * off - uRise.z) + uSway.wz);

  float tongue = smoothstep(-0.55, 0.75, big.w + 0.55 * mid.z + 0.25 * fine.x);
  float tall = reach * (0.10 + uTear * 0.55 * tongue * tongue + 0.30 * uDrive * tongue);
  float fall = exp(-off / tall);
  float outside = smoothstep(0.985, 1.015, r);
  float silk = strands(turn * 20.0 + 1.1 * fine.z + 0.12 * fine.x, 1.0, 5.0) * smoothstep(-0.4, 0.3, fine.w);
  float thread = strands(turn * 48.0 + 1.6 * fine.w + 0.2 * mid.x, 1.0, 4.5) * smoothstep(-0.3, 0.4, mid.z);
  float line = uFilaments * (silk + 0.8 * thread);
  float rim = exp(-abs(r - 1.0) * 42.0) * (0.45 + 0.55 * tongue + 0.5 * uDrive);
  float arch = exp(-off * 3.2 / reach);
  vec4 fire = outside * vec4(
    0.32 * fall * (0.5 + line) + 0.05 * arch,
    fall * fall * (0.12 + 0.8 * line),
    pow(fall, 4.0) * (0.08 + 0.5 * line),
    0.30 * fall * smoothstep(0.05, 0.7, off) * (0.3 + 1.4 * line) + 0.10 * uFilaments * arch * silk
  );
  fire += rim * vec4(0.5, 0.8, 0.75, 0.0) * mix(1.0, 0.4, uDisc);
  weights = uHeat * (fire + uDisc * (1.0 - outside) * surface(q, r));
}`;
