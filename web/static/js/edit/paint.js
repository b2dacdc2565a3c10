// Outlines and rulers on a canvas, in CSS pixels whatever the screen.
import { outlineOf } from "./outline.js";

const STEPS = [0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600];
const APART = 92;

/** Make the canvas as fine as the screen and clear it. */
export function openCanvas(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = window.devicePixelRatio || 1;
  const [fineWidth, fineHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== fineWidth || canvas.height !== fineHeight) Object.assign(canvas, { width: fineWidth, height: fineHeight });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** Light in the middle, embers at the ends. */
export function flameFill(context, top, height) {
  const fill = context.createLinearGradient(0, top, 0, top + height);
  for (const [place, colour] of [[0, "#f2571f"], [0.28, "#ff8a3d"], [0.5, "#ffd79b"], [0.72, "#ff8a3d"], [1, "#f2571f"]]) {
    fill.addColorStop(place, colour);
  }
  return fill;
}

/**
 * Fill the outline of a sound from `from` to `to` seconds into the box {left, top, width, height}.
 * `gain` says how loud it is at a time.
 */
export function paintOutline(context, peaks, { from, to }, { left, top, width, height }, fill, gain = () => 1) {
  const count = Math.max(1, Math.round(width * (window.devicePixelRatio || 1)));
  const { lows, highs } = outlineOf(peaks, from, to, count);
  const middle = top + height / 2;
  const reach = height / 2 - 1;
  const x = (column) => left + (width * (column + 0.5)) / count;
  const y = (sample, column) => middle - Math.max(-1, Math.min(1, sample * gain(from + ((to - from) * (column + 0.5)) / count))) * reach;
  context.beginPath();
  context.moveTo(left, middle);
  for (let column = 0; column < count; column += 1) context.lineTo(x(column), y(highs[column], column) - 0.5);
  context.lineTo(left + width, middle);
  for (let column = count - 1; column >= 0; column -= 1) context.lineTo(x(column), y(lows[column], column) + 0.5);
  context.closePath();
  context.fillStyle = fill;
  context.fill();
}

/** Times along the top edge. */
export function paintRuler(context, { from, to }, width, height) {
  const perSecond = width / (to - from);
  const step = STEPS.find((candidate) => candidate * perSecond >= APART) ?? STEPS.at(-1);
  context.font = `11px ${getComputedStyle(context.canvas).fontFamily}`;
  context.textBaseline = "middle";
  for (let number = Math.floor(from / step); number * step <= to; number += 1) {
    const x = (number * step - from) * perSecond;
    context.fillStyle = "rgb(255 236 220 / 16%)";
    context.fillRect(Math.round(x), 0, 1, height);
    context.fillStyle = "#a1938b";
    context.fillText(tickWords(number * step, step), Math.round(x) + 6, height / 2 + 0.5);
  }
}

function tickWords(seconds, step) {
  const digits = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
  const minutes = Math.floor((seconds + 1e-6) / 60);
  const rest = Math.max(0, seconds - 60 * minutes).toFixed(digits);
  return `${minutes}:${rest.padStart(digits ? 3 + digits : 2, "0")}`;
}
