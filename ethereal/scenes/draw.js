// The page around the drawing worker: starts it and turns whatever goes wrong in it into an error of the page.
const worker = new Worker("draw_worker.js", { type: "module" });
let waiting = null;
let settled = null;

/** What the driver calls itself, "" when there is no WebGL2. */
globalThis.driverName = () => {
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  return gl ? gl.getParameter(gl.getExtension("WEBGL_debug_renderer_info").UNMASKED_RENDERER_WEBGL) : "";
};

/** Open the scene and its ring file; answers what was opened (see draw_worker.js) and drawing is on. */
globalThis.openDrawing = (ring) =>
  new Promise((resolve, reject) => {
    waiting = { resolve, reject };
    worker.postMessage(ring);
  });

/** Resolves once all that went wrong in the worker until now has been told. */
globalThis.settleDrawing = () =>
  new Promise((resolve) => {
    settled = resolve;
    worker.postMessage({ settle: true });
  });

function fail(message) {
  waiting?.reject(new Error(message));
  throw new Error(message); // uncaught on purpose: the driver of the browser listens for page errors
}

worker.onmessage = ({ data }) => {
  if (data.failed) fail(data.failed);
  else if (data.settled) settled();
  else waiting.resolve(data.opened);
};
worker.onerror = (event) => {
  event.preventDefault();
  fail(`${event.message ?? "the drawing worker does not load"} (${event.filename}:${event.lineno})`);
};
