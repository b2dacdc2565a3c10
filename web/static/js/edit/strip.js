// The clips in the order they sound, each as wide as it is long: chosen by a click, moved by a drag or Alt and an arrow.
import { flameFill, openCanvas, paintOutline } from "./paint.js";
import { gainAt, lengthOf, placeOf, totalOf } from "./recipe.js";
import { clockWords } from "../words.js";

const STILL = 6; // pixels: less than this is no drag

/** `on` hears: choose(id), move(id, place, gesture), settle(). */
export function makeStrip(root, sources, on) {
  const blocks = new Map();
  let recipe = { clips: [] };
  let isWaiting = 0;

  function makeBlock(id) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "block" });
    const number = Object.assign(document.createElement("span"), { className: "block-number" });
    const canvas = document.createElement("canvas");
    button.append(canvas, number);
    button.dataset.block = id;
    button.addEventListener("click", () => on.choose(id));
    button.addEventListener("keydown", (event) => press(event, id));
    listenToDrag(button, id);
    return { button, number, canvas };
  }

  function press(event, id) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const place = placeOf(recipe, id) + by;
    if (event.altKey) on.move(id, place);
    const next = event.altKey ? id : recipe.clips[place]?.id;
    if (next) blocks.get(next).button.focus();
    if (next) on.choose(next);
  }

  function listenToDrag(button, id) {
    let from = null;
    button.addEventListener("pointerdown", (event) => {
      from = event.button === 0 ? event.clientX : null;
    });
    button.addEventListener("pointermove", (event) => {
      if (from === null || Math.abs(event.clientX - from) < STILL) return;
      button.setPointerCapture(event.pointerId);
      button.classList.add("dragged");
      on.move(id, placeUnder(event.clientX, id), `order of ${id}`);
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      button.addEventListener(kind, () => {
        from = null;
        button.classList.remove("dragged");
        on.settle();
      });
    }
  }

  /** The place whose block's middle the pointer has passed. */
  function placeUnder(x, id) {
    const middles = recipe.clips.filter((clip) => clip.id !== id).map((clip) => {
      const { left, width } = blocks.get(clip.id).button.getBoundingClientRect();
      return left + width / 2;
    });
    return middles.filter((middle) => middle < x).length;
  }

  async function paint(clip, canvas) {
    const source = await sources.get(clip.sourceAssetId);
    const { context, width, height } = openCanvas(canvas);
    if (!source || width === 0) return;
    const span = { from: clip.startTime, to: clip.endTime };
    const box = { left: 0, top: 2, width, height: height - 4 };
    paintOutline(context, source.peaks, span, box, flameFill(context, 0, height), (time) => gainAt(clip, time - clip.startTime));
  }

  /** Once for all changes before the next frame. */
  function paintSoon() {
    isWaiting ||= requestAnimationFrame(() => {
      isWaiting = 0;
      for (const clip of recipe.clips) paint(clip, blocks.get(clip.id).canvas);
    });
  }
  new ResizeObserver(paintSoon).observe(root);

  return {
    focus: (id) => blocks.get(id)?.button.focus(),
    show(next, chosen) {
      const isSame = recipe.clips === next.clips;
      recipe = next;
      const total = totalOf(recipe) || 1;
      for (const [place, clip] of recipe.clips.entries()) {
        if (!blocks.has(clip.id)) blocks.set(clip.id, makeBlock(clip.id));
        const { button, number } = blocks.get(clip.id);
        if (root.children[place] !== button) root.insertBefore(button, root.children[place] ?? null);
        button.style.flexGrow = String(Math.max(lengthOf(clip) / total, 0.004));
        button.setAttribute("aria-pressed", String(clip.id === chosen));
        button.setAttribute("aria-label", `Clip ${place + 1}, ${clockWords(lengthOf(clip))} long`);
        number.textContent = String(place + 1);
      }
      for (const [id, { button }] of blocks) {
        if (placeOf(recipe, id) >= 0) continue;
        button.remove();
        blocks.delete(id);
      }
      if (!isSame) paintSoon();
    },
  };
}
