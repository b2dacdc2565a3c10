// Colours of a template: "#rrggbb" as people pick them, turned into linear light.

/** Linear red, green, blue of "#rrggbb", hue turned by `degrees` around the grey axis. */
export function lightOf(hex, degrees = 0) {
  const channel = (at) => (Number.parseInt(hex.slice(at, at + 2), 16) / 255) ** 2.2;
  return turnHue([channel(1), channel(3), channel(5)], degrees);
}

function turnHue([red, green, blue], degrees) {
  if (degrees === 0) return [red, green, blue];
  const cos = Math.cos((degrees * Math.PI) / 180);
  const sin = Math.sin((degrees * Math.PI) / 180) / Math.sqrt(3);
  const even = (1 - cos) / 3;
  const mix = (a, b, c) => Math.max(0, a * (cos + even) + b * (even - sin) + c * (even + sin));
  return [mix(red, green, blue), mix(green, blue, red), mix(blue, red, green)];
}

/** The hue of the body as it is seen, as bright as it can be. */
export function tintOf(parameters) {
  const seen = lightOf(parameters.bodyColor, parameters.hueShift).map(Math.sqrt);
  const most = Math.max(...seen, 1e-3);
  return seen.map((channel) => channel / most);
}

/** The matrix that turns the four weights of the body (outer, body, core, tip) into light. */
export function paletteMatrix(parameters) {
  const columns = ["outerColor", "bodyColor", "coreColor", "tipColor"];
  return Float32Array.from(columns.flatMap((name) => [...lightOf(parameters[name], parameters.hueShift), 0]));
}
