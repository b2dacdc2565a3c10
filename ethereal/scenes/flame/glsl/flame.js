// The body of the flame in four weights: outer, body, core, tip. The palette turns them into light.
import { HEAD, NOISE, STRANDS } from "./shared.js";

const flameBody = (auraShape) => `${HEAD}
in vec2 uv;
uniform vec2 uExtent, uOrigin, uSize;
uniform vec4 uRise, uSway;
uniform float uTurbulence, uFilaments, uHeat, uDrive, uTear, uWaft;
out vec4 weights;
${NOISE}${STRANDS}
float profile(float v) {
  return 2.58 * sqrt(max(v + 0.02, 0.0)) * pow(max(1.0 - v, 0.0), 1.15);
}
/** How far inside a tongue: 1 on its axis, falling softly; \`place\` is x offset, width, height. */
float tongue(vec2 q, float v, vec3 place) {
  float s = (q.x - place.x * (0.4 + v)) / (place.y * profile(v / place.z) + 0.02);
  return exp(-1.9 * s * s) * smoothstep(1.05, 0.25, v / place.z);
}
void main() {
  vec2 q = ((uv - 0.5) * uExtent - uOrigin) / uSize.x;
  float tall = uSize.y / uSize.x;
  float lift = clamp(q.y / tall, 0.0, 1.5);
  q.x -= (uSway.x + uSway.y * lift) * lift;
  vec2 still = q;
  vec4 big = noise(q * vec2(0.24, 0.15) - vec2(uSway.z, uRise.x));
  q += uTurbulence * big.zw * vec2(1.35, 1.1) * (0.04 + lift);
  vec2 bent = q;
  vec4 mid = noise(q * vec2(0.60, 0.30) - vec2(uSway.w, uRise.y));
  q += uTurbulence * mix(mid.zw, mid.xy, 0.4) * vec2(0.62, 0.85) * (0.07 + lift);

  float v = q.y / tall;
  float torn = v + uTear * mid.x * lift;
  float root = smoothstep(-0.04, 0.09, v + 0.02 * mid.w) * smoothstep(1.40, 0.85, still.y / tall);
  float main_ = tongue(q, torn, vec3(0.0, 1.0, 1.0));
  float left = tongue(q, torn - 0.10 * big.z, vec3(-0.60, 0.60, 0.74));
  float right = tongue(q, torn + 0.10 * big.z, vec3(0.58, 0.55, 0.64));
  float inside = root * (1.0 - (1.0 - main_) * (1.0 - 0.8 * left) * (1.0 - 0.8 * right));

  float width = profile(torn);
  vec2 lane = vec2(q.x / (width * 0.70 + 0.34), q.y);
  vec4 fine = noise(lane * vec2(0.46, 0.12) + mid.zw * 0.08 - vec2(0.0, uRise.z));
  vec4 hair = noise(lane * vec2(0.90, 0.18) + fine.zw * 0.22 - vec2(0.3, uRise.w));
  float across = lane.x * 0.85 + 0.10 * mid.w;
  float silk = fineStrands(across + 0.75 * fine.z + 0.03 * fine.x, 2.3, 7.0 + 8.0 * smoothstep(-0.4, 0.4, hair.z));
  silk *= 0.30 + 0.70 * smoothstep(-0.55, 0.25, fine.w + 0.3 * fine.y);
  float thread = fineStrands(across * 1.7 + 0.8 * hair.w + 0.03 * hair.x, 3.1, 12.0);
  thread *= 0.15 + 0.85 * smoothstep(-0.35, 0.45, hair.y + 0.5 * fine.w);
  float line = uFilaments * (1.1 * silk + 0.9 * thread);
  float dark = smoothstep(-0.55, 0.35, hair.z + 0.5 * fine.w);

  vec2 wide = vec2(bent.x / (1.7 + 1.1 * lift), still.y / tall);
  float aura = exp(-1.6 * wide.x * wide.x) * smoothstep(0.0, 0.4, wide.y) * smoothstep(1.40, 0.45, wide.y + 0.2 * big.x)
    * smoothstep(3.7, 2.0, abs(still.x)) * smoothstep(1.48, 1.2, wide.y)${auraShape};
  vec4 slow = noise(bent * vec2(0.33, 0.075) + mid.zw * 0.10 - vec2(0.6, uWaft));
  float far = bent.x * 0.30 / (1.0 + 0.5 * lift);
  float ribbon = fineStrands(far + 0.8 * slow.z, 2.0, 12.0) * smoothstep(-0.3, 0.4, slow.w)
    + 0.7 * fineStrands(far * 1.4 + 0.9 * slow.w, 2.4, 20.0) * smoothstep(-0.2, 0.4, slow.y);

  float gaps = mix(1.0, dark, 0.35 + 0.55 * min(lift, 1.0));
  float body = inside * gaps;
  float heart = main_ * root * smoothstep(0.68, 0.0, torn);
  heart *= heart;
  float pool = exp(-2.2 * still.x * still.x - 420.0 * (still.y / tall) * (still.y / tall));
  weights = uHeat * vec4(
    0.3 * pool + inside * (0.30 + 0.35 * line * gaps),
    0.4 * pool + body * (0.24 + 0.70 * inside * line),
    0.30 * pool * pool + heart * (0.14 + 0.42 * dark + 1.6 * line + 0.9 * uDrive) + 0.12 * body * line * line,
    body * lift * lift * (0.15 + 0.6 * line) + uFilaments * aura * (0.02 + 0.30 * ribbon * (0.3 + lift))
  );
}`;

export const FLAME_BODY = flameBody("");

/** Before nothing the aura's ends would show: it is rounded there, and gone well before them. */
export const LONE_FLAME_BODY = flameBody(`
    * pow(smoothstep(1.0, 0.2, length(vec2(still.x / 3.2, (wide.y - 0.45) / 0.9))), 2.0)`);
