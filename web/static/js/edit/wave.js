// The waveform of a source: what is in sight, the clips taken from it, the marked range, where it plays.
import { makeHandle } from "./handle.js";
import { flameFill, openCanvas, paintOutline, paintRuler } from "./paint.js";
import { gainAt } from "./recipe.js";
import { makeRegion } from "./region.js";
import { listenToSurface } from "./surface.js";
import { toMilliseconds } from "./time.js";
import { makeView } from "./view.js";

const RULER = 26;
const DIM = "rgb(255 236 220 / 24%)";

/**
 * Draw into `root`. `on` hears: seek(time), mark({from, to} | null), choose(id), change(id, clip, gesture), settle().
 */
export function makeWave(root, on) {
  const find = (name) => root.querySelector(`[data-${name}]`);
  const surface = find("surface");
  const regions = new Map();
  let shown = { source: null, clips: [], chosen: null, range: null };
  let playing = 0;
  let isWaiting = false;

  const view = makeView(drawSoon);
  const timeIn = (box, x, from, span) => Math.min(Math.max(from + ((x - box.left) / box.width) * span, 0), view.duration);
  const timeOf = (x) => timeIn(surface.getBoundingClientRect(), x, view.from, view.span());
  const timeOfWhole = (x) => timeIn(find("overview").getBoundingClientRect(), x, 0, view.duration);
  const range = (from, to) => {
    const [start, end] = [Math.min(from, to), Math.max(from, to)].map(toMilliseconds);
    return { from: start, to: Math.min(end, view.duration) };
  };

  listenToSurface(surface, {
    view,
    timeOf,
    onSeek: (time) => {
      on.mark(null);
      on.seek(time);
      find("playhead").focus({ preventScroll: true });
    },
    onMark: (from, to) => on.mark(range(from, to)),
    onMarked: () => find("range-end").focus({ preventScroll: true }),
  });
  const showPlayhead = makeHandle(find("playhead"), {
    label: () => "Place in the sound",
    step: 0.1,
    read: () => ({ value: playing, min: 0, max: view.duration }),
    timeOf,
    onMove: on.seek,
  });
  const showHandles = [
    makeHandle(find("range-start"), {
      label: () => "Marked range starts",
      read: () => ({ value: shown.range?.from ?? 0, min: 0, max: (shown.range?.to ?? 0) - 0.001 }),
      timeOf,
      onMove: (value) => on.mark(range(value, shown.range.to)),
    }),
    makeHandle(find("range-end"), {
      label: () => "Marked range ends",
      read: () => ({ value: shown.range?.to ?? 0, min: (shown.range?.from ?? 0) + 0.001, max: view.duration }),
      timeOf,
      onMove: (value) => on.mark(range(shown.range.from, value)),
    }),
    makeHandle(find("window"), {
      label: () => "Part in sight starts",
      step: 0.5,
      read: () => ({ value: view.from, min: 0, max: view.duration - view.span() }),
      timeOf: timeOfWhole,
      onMove: (value) => view.startAt(value),
    }),
  ];
  find("overview").addEventListener("pointerdown", (event) => view.startAt(timeOfWhole(event.clientX) - view.span() / 2));
  new ResizeObserver(drawSoon).observe(surface);

  function drawSoon() {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      if (shown.source) draw();
    });
  }

  function draw() {
    drawSurface();
    drawOverview();
    placeRegions();
    placePlayhead();
    placeRange();
    for (const show of showHandles) show();
  }

  function drawSurface() {
    const { context, width, height } = openCanvas(find("canvas"));
    const box = { left: 0, top: RULER, width, height: height - RULER };
    paintRuler(context, view, width, RULER);
    paintOutline(context, shown.source.peaks, view, box, DIM);
    const fill = flameFill(context, box.top, box.height);
    for (const [clip] of chosenLast()) paintClip(context, clip, box, fill);
  }

  function paintClip(context, clip, { top, width, height }, fill) {
    const [from, to] = [Math.max(clip.startTime, view.from), Math.min(clip.endTime, view.to)];
    if (from >= to) return;
    const box = { left: view.at(from) * width, top, width: ((to - from) / view.span()) * width, height };
    const isChosen = clip.id === shown.chosen;
    context.fillStyle = isChosen ? "rgb(40 20 14)" : "rgb(24 17 17)";
    context.fillRect(box.left, box.top, box.width, box.height);
    paintOutline(context, shown.source.peaks, { from, to }, box, "rgb(255 236 220 / 13%)");
    context.globalAlpha = isChosen ? 1 : 0.6;
    paintOutline(context, shown.source.peaks, { from, to }, box, fill, (time) => gainAt(clip, time - clip.startTime));
    context.globalAlpha = 1;
  }

  function drawOverview() {
    const { context, width, height } = openCanvas(find("overview-canvas"));
    const box = { left: 0, top: 0, width, height };
    paintOutline(context, shown.source.peaks, { from: 0, to: view.duration }, box, DIM);
    context.fillStyle = "rgb(255 138 61 / 26%)";
    for (const [{ startTime, endTime }] of chosenLast()) {
      context.fillRect((startTime / view.duration) * width, 0, ((endTime - startTime) / view.duration) * width, height);
    }
    find("window").style.left = `${(100 * view.from) / view.duration}%`;
    find("window").style.width = `${(100 * view.span()) / view.duration}%`;
    root.toggleAttribute("data-whole", view.isWhole());
  }

  /** The clips of this source with their places; the chosen one lies over the others. */
  function chosenLast() {
    const ours = [...shown.clips.entries()].filter(([, clip]) => clip.sourceAssetId === shown.source.assetId);
    return ours.map(([place, clip]) => [clip, place]).sort(([a], [b]) => (a.id === shown.chosen) - (b.id === shown.chosen));
  }

  function placeRegions() {
    const ours = chosenLast();
    for (const [id, { element }] of regions) {
      if (ours.some(([clip]) => clip.id === id)) continue;
      element.remove();
      regions.delete(id);
    }
    for (const [clip, place] of ours) {
      if (!regions.has(clip.id)) {
        regions.set(clip.id, makeRegion({ view, timeOf, onChoose: on.choose, onChange: on.change, onEnd: on.settle }));
        find("regions").append(regions.get(clip.id).element);
      }
      regions.get(clip.id).show(clip, place, clip.id === shown.chosen);
    }
  }

  function placePlayhead() {
    find("playhead").style.left = `${100 * view.at(playing)}%`;
    find("playhead").classList.toggle("aside", playing < view.from || playing > view.to);
    showPlayhead();
  }

  function placeRange() {
    find("range").hidden = !shown.range;
    if (!shown.range) return;
    find("range").style.left = `${100 * view.at(shown.range.from)}%`;
    find("range").style.width = `${(100 * (shown.range.to - shown.range.from)) / view.span()}%`;
  }

  return {
    view,
    /** Show this: {source, clips, chosen, range}. Another source is shown whole. */
    show(next) {
      const isOther = next.source.assetId !== shown.source?.assetId;
      shown = next;
      if (isOther) view.open(next.source.audio.duration);
      drawSoon();
    },
    /** It plays here now. */
    playAt(time, isPlaying) {
      playing = time;
      if (isPlaying) view.reveal(time);
      placePlayhead();
    },
  };
}
