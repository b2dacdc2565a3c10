// The live picture: the scene that the renderer draws with, on a canvas of this page.
import { contextFor, openScene } from "/scenes/runtime.js";

const SIDE = 620; // pixels of the longer side: quick on a phone, clear enough to choose by
const SLOW_MILLISECONDS = 90;
const JUDGED_FRAMES = 14;
const SMALLEST = 0.45;

/** Shows a scene on `canvas`, or on one in its place. `onTrouble` is called once when this browser cannot. */
export function makeStage(canvas, onTrouble) {
  let gl = null;
  let background = null;
  let scene = null;
  let wanted = null;
  let scale = 1;
  let drawn = -1;
  let slow = [];
  let opening = 0;

  openCanvas("scene");
  if (!gl) {
    onTrouble(new Error("this browser has no WebGL2"));
    return null;
  }

  /** Have a canvas for light before this background: its context cannot change, so another one takes its place. */
  function openCanvas(wantedBackground) {
    if (wantedBackground === background) return;
    background = wantedBackground;
    if (gl) {
      const next = canvas.cloneNode();
      canvas.replaceWith(next);
      canvas = next;
      gl.getExtension("WEBGL_lose_context")?.loseContext();
    }
    gl = canvas.getContext("webgl2", contextFor({ background }));
    canvas.addEventListener("webglcontextlost", (event) => {
      if (event.target !== canvas) return; // one that was replaced
      event.preventDefault();
      close();
      onTrouble(new Error("the picture was lost"));
    });
  }

  function close() {
    scene?.dispose();
    scene = null;
    drawn = -1;
  }

  function sizeFor({ width, height }) {
    const factor = Math.min(1, (SIDE * scale) / Math.max(width, height));
    return { width: Math.round((width * factor) / 2) * 2, height: Math.round((height * factor) / 2) * 2 };
  }

  /** Draw from now on: {sceneUrl, parameters, background, width, height, features}. */
  async function show(next) {
    wanted = next;
    opening += 1;
    const mine = opening;
    try {
      const module = await import(next.sceneUrl);
      if (mine !== opening) return; // another look was chosen meanwhile
      close();
      openCanvas(module.canBeTransparent ? next.background : "scene");
      Object.assign(canvas, sizeFor(next));
      const composition = { ...sizeFor(next), fps: String(next.features.fps), seed: 0, parameters: next.parameters, background };
      scene = openScene(gl, composition, next.features, module);
      slow = [];
    } catch (error) {
      close();
      onTrouble(error);
    }
  }

  /** Draw the frame unless it is on the canvas already. */
  function draw(frame) {
    if (!scene || frame === drawn || gl.isContextLost()) return;
    scene.draw(frame);
    drawn = frame;
  }

  /** Tell how long a frame took to reach the screen; a machine that cannot keep up gets a smaller picture. */
  function judge(milliseconds) {
    slow.push(milliseconds);
    if (slow.length < JUDGED_FRAMES) return;
    const typical = [...slow].sort((a, b) => a - b)[JUDGED_FRAMES >> 1];
    slow = [];
    if (typical < SLOW_MILLISECONDS || scale <= SMALLEST) return;
    scale = Math.max(SMALLEST, scale * 0.65);
    show(wanted);
  }

  const redraw = () => {
    drawn = -1;
  };
  return { show, draw, judge, redraw, isOpen: () => scene !== null };
}
