// A floating body of luminous vapour, slowly turning, in the same four weights: outer, body, core, tip.
import { HEAD, NOISE, STRANDS } from "./shared.js";

export const MIST_BODY = `${HEAD}
in vec2 uv;
uniform vec2 uExtent, uOrigin, uSize;
uniform vec4 uRise, uSway;
uniform float uTurbulence, uFilaments, uHeat, uDrive, uTear;
out vec4 weights;
${NOISE}${STRANDS}
void main() {
  vec2 q = ((uv - 0.5) * uExtent - uOrigin) / uSize;
  q.x -= 0.6 * uSway.x;
  float turn = 1.9 * exp(-1.1 * dot(q, q)) + 0.5 * uSway.y;
  vec2 swirled = vec2(q.x * cos(turn) - q.y * sin(turn), q.x * sin(turn) + q.y * cos(turn));
  vec4 big = noise(swirled * 0.55 + vec2(uSway.z * 2.0, -uRise.x));
  vec2 bent = swirled + uTurbulence * 0.60 * big.zw;
  vec4 mid = noise(bent * 1.05 - vec2(uSway.w, uRise.y));
  bent += uTurbulence * 0.34 * mix(mid.zw, mid.xy, 0.35);
  vec4 fine = noise(bent * vec2(1.5, 1.2) - vec2(0.4, uRise.z));

  vec2 torn = q + uTurbulence * (0.26 * big.zw + 0.16 * mid.zw);
  float r = length(torn);
  float inside = smoothstep(1.25 + 0.3 * uTear, 0.05, r + 0.16 * fine.x);
  float cloud = smoothstep(-0.55, 0.75, fine.x + 0.6 * mid.z + 0.35 * big.x);
  float silk = fineStrands(bent.x * 0.55 + bent.y * 0.25 + 0.75 * fine.z, 2.2, 9.0);
  silk *= 0.25 + 0.75 * smoothstep(-0.3, 0.4, mid.w);
  float thread = fineStrands(bent.y * 0.50 - bent.x * 0.35 + 0.8 * fine.w + 0.03 * fine.x, 3.4, 13.0);
  thread *= smoothstep(-0.3, 0.4, big.w + 0.4 * mid.x);
  float line = uFilaments * (silk + 0.9 * thread);
  float heart = exp(-4.2 * r * r);
  float shell = inside * (1.0 - heart);
  weights = uHeat * vec4(
    inside * (0.16 + 0.42 * cloud + 0.30 * line * inside),
    inside * inside * (0.05 + 0.55 * cloud * cloud + 0.50 * line),
    heart * (0.12 + 0.40 * cloud + 0.65 * line + 0.55 * uDrive) + 0.05 * line * line * inside,
    shell * (0.12 + 0.30 * smoothstep(-0.2, 0.6, mid.w) + 0.85 * line * smoothstep(-0.4, 0.5, big.z))
  );
}`;
