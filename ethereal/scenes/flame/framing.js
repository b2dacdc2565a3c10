// Where each form stands in the picture and how it grows, in short sides from the centre.

/** The frame of a flat picture: how far it reaches to both sides together, and where the water begins. */
export function flatFrame(width, height) {
  const extent = [width, height].map((side) => side / Math.min(width, height));
  return { extent, shore: -0.31 * extent[1] };
}

/** A flame grows both ways, a curtain upwards, a cloud as a whole, a disc hardly at all. */
const FORMS = {
  flame: {
    place: (extent, shore) => ({
      y: shore,
      height: 0.76 * extent[1] ** 0.9,
      width: 0.185 * extent[1] ** 0.35,
      waterLine: shore,
    }),
    grow: (height, width, tall, wide) => ({ height: height * tall, width: width * wide }),
    bounds: (x, y, width, height) => [x - 3.75 * width, y - 0.12 * height, x + 3.75 * width, y + 1.5 * height],
  },
  mist: {
    place: (extent, shore) => ({
      y: 0.06 * extent[1],
      height: 0.35 * extent[1] ** 0.5,
      width: 0.4,
      waterLine: shore - 0.02,
    }),
    grow: (height, width, tall, wide) => ({
      height: height * (0.45 + 0.55 * wide),
      width: width * (0.45 + 0.55 * wide),
    }),
    bounds: (x, y, width, height) => [x - 2 * width, y - 1.9 * height, x + 2 * width, y + 1.9 * height],
  },
  veil: {
    place: (extent, shore) => ({
      y: shore + 0.02,
      height: 0.72 * extent[1] ** 0.8,
      width: 0.62 * extent[0],
      waterLine: shore,
    }),
    grow: (height, width, tall) => ({ height: height * (0.55 + 0.45 * tall), width }),
    bounds: (x, y) => [-Infinity, y, Infinity, Infinity],
  },
  corona: {
    place: (extent, shore) => ({ y: 0.04 * extent[1], height: 0.42, width: 0.22, waterLine: shore - 0.05 }),
    grow: (height, width, tall, wide) => ({ height: height * tall, width: width * (0.93 + 0.07 * wide) }),
    bounds: (x, y, width, height) => {
      const reach = width + 2 * height;
      return [x - reach, y - reach, x + reach, y + reach];
    },
  },
};

/** `size(tall, wide)` is the form grown by two factors, with the box (left, bottom, right, top) it can reach. */
export function makeFraming({ extent, shore }, parameters) {
  const form = FORMS[parameters.form];
  const { y, waterLine, ...still } = form.place(extent, shore);
  const size = (tall, wide) => {
    const grown = form.grow(still.height * parameters.height, still.width * parameters.spread, tall, wide);
    return { x: 0, y, ...grown, bounds: form.bounds(0, y, grown.width, grown.height) };
  };
  return { waterLine, size };
}
