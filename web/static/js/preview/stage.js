// The live picture: the scene that the renderer draws with, on a canvas of this page.
import { contextFor, openScene } from "/scenes/runtime.js";
import { lookAround, makeCanvasOfDirections, straightAhead } from "../around.js";

const SIDE = 620; // pixels of the longer side: quick on a phone, clear enough to choose by
const ALL_AROUND = 1800; // the same of a picture of all directions, of which a third is seen
const SLOW_MILLISECONDS = 90;
const JUDGED_FRAMES = 14;
const SMALLEST = 0.45;

/**
 * Shows a scene on `canvas`, or on one in its place. `onTurn` is called when somebody looks around in it, `onTrouble` once
 * when this browser cannot.
 */
export function makeStage(canvas, { onTurn, onTrouble }) {
  let gl = null;
  let background = null;
  let scene = null;
  let wanted = null;
  let scale = 1;
  let drawn = -1;
  let slow = [];
  let opening = 0;
  let around = null;
  let turned = false;
  const facing = straightAhead();

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
    for (const held of around ? [around.view, around.picture] : []) held.close();
    scene?.dispose();
    around = scene = null;
    drawn = -1;
  }

  function sizeFor({ width, height }, side) {
    const factor = Math.min(1, (side * scale) / Math.max(width, height));
    return { width: Math.round((width * factor) / 2) * 2, height: Math.round((height * factor) / 2) * 2 };
  }

  function turn() {
    turned = true;
    onTurn();
  }

  function openAround(size) {
    const picture = makeCanvasOfDirections(gl, size);
    return { picture, view: lookAround(gl, { texture: picture.texture, facing, onTurn: turn }) };
  }

  /** All directions are drawn for one eye, and a part of them is shown; else all that is drawn. */
  function openView(next) {
    const isFlat = next.projection === "flat";
    const size = isFlat ? sizeFor(next, SIDE) : sizeFor({ width: next.width, height: next.width / 2 }, ALL_AROUND);
    Object.assign(canvas, isFlat ? size : sizeFor({ width: 1600, height: 900 }, SIDE));
    if (!isFlat) around = openAround(size);
    return { ...size, projection: isFlat ? "flat" : "mono" };
  }

  /** Draw from now on: {sceneUrl, parameters, background, width, height, projection, features}. */
  async function show(next) {
    wanted = next;
    opening += 1;
    const mine = opening;
    try {
      const module = await import(next.sceneUrl);
      if (mine !== opening) return; // another look was chosen meanwhile
      close();
      openCanvas(module.canBeTransparent ? next.background : "scene");
      const view = openView(next);
      const composition = { ...view, fps: String(next.features.fps), seed: 0, parameters: next.parameters, background };
      scene = openScene(gl, composition, next.features, module);
      slow = [];
    } catch (error) {
      close();
      onTrouble(error);
    }
  }

  /** Draw the frame unless it is on the canvas already. */
  function draw(frame) {
    if (!scene || (frame === drawn && !turned) || gl.isContextLost()) return;
    const paint = () => frame !== drawn && scene.draw(frame);
    if (around) around.picture.draw(paint);
    else paint();
    around?.view.show();
    [drawn, turned] = [frame, false];
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
