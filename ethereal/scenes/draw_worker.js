// Draws the frames ordered through a ring file, and writes their pixels into it, bottom row first.
//
// The ring is a file of the origin's private file system that the other side has mapped into memory:
//   page 0, written by the other side, 32-bit words: 0 frames ordered so far, 1 draw none below this one,
//           from 16 on the frame index of each slot
//   page 1, written here: 0 frames written so far
//   then the slots, each width * height * 4 bytes RGBA
import { contextFor, loadFeatures, openScene } from "./runtime.js";

const PAGE = 4096;
const ORDERED = 0;
const WITHDRAWN = 1;
const FIRST_SLOT = 16;
const ERROR_CHECK_EVERY = 16; // frames; asking the driver for its errors costs a round trip
const SHORT_PAUSES = 250;

const TELL_LATER = 5; // milliseconds

const post = (message) => self.postMessage(message);
const postLater = (message) => setTimeout(post, TELL_LATER, message);
const explain = (error) => error?.stack ?? String(error);

self.onmessage = ({ data }) => {
  if (data.settle) postLater({ settled: true });
  else start(data).catch((error) => post({ failed: explain(error) }));
};
// Later, since a refused request names itself best and its promise may fail before that is told.
self.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  postLater({ failed: explain(event.reason) });
});
self.addEventListener("securitypolicyviolation", ({ blockedURI }) =>
  post({ failed: `the scene asked for ${blockedURI}, which is not part of the composition` }),
);

async function start(ring) {
  const [composition, description, rows] = await Promise.all([
    fetch("/composition.json").then((answer) => answer.json()),
    fetch("/features.json").then((answer) => answer.json()),
    fetch("/features.f32").then((answer) => answer.arrayBuffer()),
  ]);
  const gl = openContext(composition);
  forbidClocks();
  const module = await import(`./${composition.scene}/scene.js`);
  const scene = openScene(gl, composition, loadFeatures(description, rows), module);
  checkDriver(gl);
  const slots = await openSlots(ring, composition);
  const hasAlpha = composition.background === "transparent";
  post({ opened: { glRenderer: rendererName(gl), expects: scene.expects, hasAlpha } });
  await drawOrders(gl, scene, slots);
}

function openContext(composition) {
  const { width, height } = composition;
  const canvas = new OffscreenCanvas(width, height);
  canvas.addEventListener("webglcontextlost", () => post({ failed: "the WebGL context was lost" }));
  // With alpha even where it means nothing: for a buffer without it Mesa makes it up, pixel by pixel, at each reading.
  const gl = canvas.getContext("webgl2", { ...contextFor(composition), alpha: true, premultipliedAlpha: false });
  if (gl === null) throw new Error("no WebGL2 context");
  if (gl.drawingBufferWidth !== width || gl.drawingBufferHeight !== height) {
    throw new Error(`no drawing buffer of ${width}x${height} pixels`);
  }
  return gl;
}

function rendererName(gl) {
  return gl.getParameter(gl.getExtension("WEBGL_debug_renderer_info").UNMASKED_RENDERER_WEBGL);
}

/** A frame is a pure function of its index: what differs from run to run must not be asked. */
function forbidClocks() {
  const forbid = (owner, name) => {
    owner[name] = () => {
      throw new Error(`a scene may not call ${name}: a frame depends on its index alone`);
    };
  };
  forbid(Math, "random");
  forbid(Date, "now");
  forbid(performance, "now");
}

function checkDriver(gl) {
  const error = gl.getError();
  if (error !== gl.NO_ERROR) throw new Error(`WebGL error 0x${error.toString(16)} while drawing`);
}

async function openSlots({ name, count }, { width, height }) {
  const folder = await navigator.storage.getDirectory();
  const file = await (await folder.getFileHandle(name, { create: true })).createSyncAccessHandle();
  const bytes = width * height * 4;
  file.truncate(2 * PAGE + count * bytes);
  const orders = new Uint32Array(FIRST_SLOT + count);
  const done = new Uint32Array(1);
  const write = (data, at) => {
    const written = file.write(data, { at });
    if (written !== data.byteLength) throw new Error(`disk full: ${written} of ${data.byteLength} bytes written`);
  };
  const advance = () => {
    done[0] += 1;
    write(done, PAGE);
  };
  return {
    written: () => done[0],
    /** The order after the frames written and `drawn` more, or null. */
    next(drawn) {
      file.read(orders, { at: 0 });
      const place = done[0] + drawn;
      if (place === orders[ORDERED]) return null;
      return { frame: orders[FIRST_SLOT + (place % count)], wanted: place >= orders[WITHDRAWN] };
    },
    put(pixels) {
      write(pixels, 2 * PAGE + (done[0] % count) * bytes);
      advance();
    },
    skip: advance,
  };
}

/** Draws and writes by turns: while a frame is written, the driver is already at the next one. */
async function drawOrders(gl, scene, slots) {
  const read = makeReader(gl);
  let unwritten = null;
  for (let idle = 0; ; ) {
    const order = slots.next(unwritten ? 1 : 0);
    if (order?.wanted) {
      scene.draw(order.frame);
      gl.flush();
    }
    if (unwritten) slots.put(unwritten);
    unwritten = null;
    if (order === null) {
      await pause(idle < SHORT_PAUSES ? 1 : 20);
      idle += 1;
      continue;
    }
    idle = 0;
    if (order.wanted) {
      unwritten = read();
      if (slots.written() % ERROR_CHECK_EVERY === 0) checkDriver(gl);
    } else slots.skip();
    await breathe();
  }
}

const turn = new MessageChannel();

/** Lets waiting events be told (a lost context, a failed promise): through the queue, since a yield overtakes them. */
const breathe = () =>
  new Promise((resolve) => {
    turn.port1.onmessage = resolve;
    turn.port2.postMessage(null);
  });

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Rows stay as GL has them: whoever converts the frame turns it over without moving a byte. */
function makeReader(gl) {
  const { drawingBufferWidth: width, drawingBufferHeight: height } = gl;
  const pixels = new Uint8Array(width * height * 4);
  return () => {
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    if (gl.isContextLost()) throw new Error("the WebGL context was lost");
    return pixels;
  };
}
