// Looking around in a picture of all directions: what somebody in its middle sees who faces one way.
import { makeProgram } from "/scenes/runtime.js";

const NARROWEST = 0.6; // radians of the shorter side
const WIDEST = 1.9;
const KEY_TURN = 0.12;
const HIGHEST = 1.5;

const CORNERS = `#version 300 es
out vec2 place;
void main() {
  place = vec2(float((gl_VertexID << 1) & 2), float(gl_VertexID & 2)) * 2.0 - 1.0;
  gl_Position = vec4(place, 0.0, 1.0);
}`;

const VIEW = `#version 300 es
precision highp float;
in vec2 place;
uniform sampler2D uPicture;
uniform vec2 uOpening, uTurn, uPart;
out vec4 pixel;
void main() {
  vec3 d = normalize(vec3(place * uOpening, 1.0));
  d.yz = vec2(d.y * cos(uTurn.y) + d.z * sin(uTurn.y), d.z * cos(uTurn.y) - d.y * sin(uTurn.y));
  d.xz = vec2(d.x * cos(uTurn.x) + d.z * sin(uTurn.x), d.z * cos(uTurn.x) - d.x * sin(uTurn.x));
  vec2 at = vec2(atan(d.x, d.z) * 0.15915494, asin(clamp(d.y, -1.0, 1.0)) * 0.31830989) + 0.5;
  at.y = uPart.x + uPart.y * at.y;
  pixel = vec4(textureLod(uPicture, at, 0.0).rgb, 1.0);
}`;

const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

/** Which way somebody faces: radians to the right and up, and how wide the view is. */
export const straightAhead = () => ({ right: 0, up: 0.05, wide: 1.15 });

const KEYS = {
  ArrowLeft: (facing) => (facing.right -= KEY_TURN),
  ArrowRight: (facing) => (facing.right += KEY_TURN),
  ArrowUp: (facing) => (facing.up = clamp(facing.up + KEY_TURN, -HIGHEST, HIGHEST)),
  ArrowDown: (facing) => (facing.up = clamp(facing.up - KEY_TURN, -HIGHEST, HIGHEST)),
  "+": (facing) => (facing.wide = clamp(facing.wide / 1.1, NARROWEST, WIDEST)),
  "-": (facing) => (facing.wide = clamp(facing.wide * 1.1, NARROWEST, WIDEST)),
  Home: (facing) => Object.assign(facing, straightAhead()),
};

/** Turns `facing` by dragging and by keys on `canvas`, until `signal`; `onTurn` is told. */
function steer(canvas, facing, signal, onTurn) {
  const listen = (kind, act) => canvas.addEventListener(kind, act, { signal });
  listen("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
  listen("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    const radians = facing.wide / Math.min(canvas.clientWidth, canvas.clientHeight);
    facing.right -= event.movementX * radians;
    facing.up = clamp(facing.up + event.movementY * radians, -HIGHEST, HIGHEST);
    onTurn();
  });
  listen("keydown", (event) => {
    if (!KEYS[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    KEYS[event.key](facing);
    onTurn();
  });
}

/** A texture of all directions: it has no seam at the sides, and ends at the poles. */
export function makeDirections(gl) {
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.REPEAT);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  return texture;
}

/** {texture, draw(paint), close()}: `paint` draws into the texture, of this size. */
export function makeCanvasOfDirections(gl, { width, height }) {
  const texture = makeDirections(gl);
  gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, width, height);
  const framebuffer = gl.createFramebuffer();
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  const draw = (paint) => {
    gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
    paint();
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  };
  const close = () => {
    gl.deleteFramebuffer(framebuffer);
    gl.deleteTexture(texture);
  };
  return { texture, draw, close };
}

/** One eye's part of the height of a picture, from below: where it begins and how much it is. */
export const WHOLE = [0, 1];
export const UPPER_HALF = [0.5, 0.5];

/**
 * {show(), close()}: `show` draws on the canvas of `gl` what somebody who faces `facing` sees of the texture. Dragging and
 * keys turn `facing`, and `onTurn` is told.
 */
export function lookAround(gl, { texture, facing, onTurn, part = WHOLE }) {
  const canvas = gl.canvas;
  const steering = new AbortController();
  const program = makeProgram(gl, CORNERS, VIEW);
  const at = (name) => gl.getUniformLocation(program, name);
  const [opening, turn, eye] = ["uOpening", "uTurn", "uPart"].map(at);
  steer(canvas, facing, steering.signal, onTurn);
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", "All directions: drag or use the arrow keys to look around, + and - to come closer");
  canvas.removeAttribute("aria-hidden");

  function show() {
    const { width, height } = canvas;
    const half = Math.tan(facing.wide / 2) / Math.min(width, height);
    gl.viewport(0, 0, width, height);
    gl.disable(gl.BLEND);
    gl.useProgram(program);
    gl.uniform2f(opening, half * width, half * height);
    gl.uniform2f(turn, facing.right, facing.up);
    gl.uniform2f(eye, ...part);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  function close() {
    steering.abort();
    ["tabindex", "role", "aria-label"].forEach((name) => canvas.removeAttribute(name));
    canvas.setAttribute("aria-hidden", "true");
    gl.deleteProgram(program);
  }

  return { show, close };
}
