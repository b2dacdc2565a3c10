// What every place that draws a scene shares: the browser preview and the capture worker open it the same way.

/**
 * How a scene's canvas is made, everywhere: opaque, antialiased by its shaders alone, and without a depth buffer,
 * since clearing one costs software GL a quarter of a light frame; a scene that needs depth brings its own.
 */
export const CONTEXT = { alpha: false, antialias: false, depth: false, powerPreference: "high-performance" };

/** The same for a composition, which may want nothing behind its light: alpha is straight then, as files keep it. */
export const contextFor = ({ background }) =>
  background === "transparent" ? { ...CONTEXT, alpha: true, premultipliedAlpha: false } : CONTEXT;

const OPAQUE_BLACK = [0, 0, 0, 1];
const NOTHING = [0, 0, 0, 0];

/** "30000/1001" or "30" as a number. */
export function parseRate(text) {
  const [over, under = "1"] = String(text).split("/");
  const rate = Number(over) / Number(under);
  if (!(rate > 0)) throw new Error(`no frame rate: ${text}`);
  return rate;
}

/** The per-frame numbers of features.json (parsed) and features.f32 (its bytes), one row per frame. */
export function loadFeatures(description, bytes) {
  const { names, frameCount, tempo, beatConfidence } = description;
  const rows = new Float32Array(bytes);
  if (rows.length !== names.length * frameCount) {
    throw new Error(`features.f32 holds ${rows.length} numbers, not ${frameCount} rows of ${names.length}`);
  }
  const columns = new Map(names.map((name, column) => [name, column]));
  const value = (name, frame) => {
    const column = columns.get(name);
    if (column === undefined) throw new Error(`no feature ${name}; there are ${names.join(", ")}`);
    const row = Math.min(Math.max(Math.trunc(frame), 0), frameCount - 1);
    return rows[row * names.length + column];
  };
  return { names, frameCount, tempo, beatConfidence, fps: parseRate(description.fps), value };
}

const OF_THE_WHOLE = ["frameCount", "tempo", "beatConfidence"];

/**
 * The features as far as a scene may read them, and `during(frame, draw)`, in which it may. `reach` counts in frames:
 * rows from `before` back to `after` ahead of the frame, the columns `features`, the values `whole` of the whole track.
 * Frames whose reach holds the same numbers are the same picture, so a read beyond it would make a video wrong.
 */
export function limitFeatures(features, reach) {
  const columns = new Set(reach.features);
  let at = null;
  const refuse = (what) => {
    throw new Error(`the scene reads ${what}, which is beyond its reach.json`);
  };
  const value = (name, frame) => {
    if (!columns.has(name)) refuse(`the feature ${name}`);
    if (at === null) refuse("features while it draws no frame");
    const row = Math.trunc(frame);
    if (!(row >= at - reach.before && row <= at + reach.after)) refuse(`row ${row} of ${name} at frame ${at}`);
    return features.value(name, frame);
  };
  const limited = { names: features.names.filter((name) => columns.has(name)), fps: features.fps, value };
  for (const name of OF_THE_WHOLE) {
    const get = () => (reach.whole.includes(name) ? features[name] : refuse(name));
    Object.defineProperty(limited, name, { get });
  }
  const during = (frame, draw) => {
    at = frame;
    draw();
    at = null;
  };
  return { features: limited, during };
}

/** Every parameter the scene declares, as given or else its default; refuses what the scene cannot take. */
export function completeParameters(declared = {}, given = {}) {
  const stray = Object.keys(given).filter((name) => !(name in declared));
  if (stray.length > 0) throw new Error(`the scene has no parameter ${stray.join(", ")}`);
  const values = {};
  for (const [name, rule] of Object.entries(declared)) {
    values[name] = checkParameter(name, rule, given[name] ?? rule.default);
  }
  return values;
}

function checkParameter(name, { default: usual, min = -Infinity, max = Infinity, choices }, value) {
  if (typeof value !== typeof usual) throw new Error(`parameter ${name} is a ${typeof value}, not a ${typeof usual}`);
  const allowed = choices ? choices.includes(value) : typeof value !== "number" || (value >= min && value <= max);
  if (!allowed) throw new Error(`parameter ${name} is ${value}, not ${choices?.join(" or ") ?? `${min} to ${max}`}`);
  return value;
}

/** A linked program, or an error that quotes the driver. */
export function makeProgram(gl, vertexSource, fragmentSource) {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, vertexSource], [gl.FRAGMENT_SHADER, fragmentSource]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(`shader: ${gl.getShaderInfoLog(shader)}`);
    gl.attachShader(program, shader);
    gl.deleteShader(shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(`program: ${gl.getProgramInfoLog(program)}`);
  return program;
}

/**
 * Open `scene` (its module) for a composition (composition.json, parsed) on a WebGL2 context as large as the
 * composition. `draw(frame)` draws into the framebuffer bound at the call, from a cleared, full viewport. What it
 * writes as alpha there is nothing where the picture is opaque, so it must not blend by it (DST_ALPHA). Where the
 * composition tells the scene's reach, the scene is held to it. Where it has a transparent background, a scene that
 * says `canBeTransparent` gets `isTransparent` and draws straight alpha; another one is refused. So is one that does not
 * say `canBeSpherical` where the composition's `projection` is mono (all directions, equirectangular) or stereo (that for
 * the left eye, above that for the right).
 */
export function openScene(gl, composition, features, scene) {
  const { width, height, seed, projection = "flat" } = composition;
  if (projection !== "flat" && !scene.canBeSpherical) throw new Error(`${composition.scene} shows no ${projection} sphere`);
  const isTransparent = composition.background === "transparent";
  if (isTransparent && !scene.canBeTransparent) throw new Error(`${composition.scene} cannot be transparent`);
  const parameters = completeParameters(scene.parameters, composition.parameters);
  const fps = parseRate(composition.fps);
  gl.disable(gl.DITHER); // a driver may dither as it likes: not the same bytes everywhere
  const { features: heard, during } = composition.reach
    ? limitFeatures(features, composition.reach)
    : { features, during: (frame, draw) => draw() };
  const view = { width, height, projection, isTransparent };
  const opened = scene.create(gl, { ...view, seed, fps, parameters, features: heard });
  const draw = (frame) => {
    gl.viewport(0, 0, width, height);
    gl.clearBufferfv(gl.COLOR, 0, isTransparent ? NOTHING : OPAQUE_BLACK);
    during(frame, () => opened.draw(frame));
  };
  return { draw, dispose: () => opened.dispose(), expects: scene.expects ?? {} };
}
