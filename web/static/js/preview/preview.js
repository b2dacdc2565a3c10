// The live preview: what is chosen, drawn to what is played.
import { NAMES, makeHearing, makeHeartbeat } from "./hear.js";
import { makeStage } from "./stage.js";

const FPS = 30;
const STILL_FRAME = 75;

/** Keeps the picture in step with the player; `watch` is the element that has to be in sight. */
export function makePreview({ canvas, watch, player, onOpen, onTrouble }) {
  const stage = makeStage(canvas, { onTurn: () => wake(), onTrouble });
  if (!stage) return { show: () => {}, startOver: () => {}, wake: () => {} };

  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const hearing = makeHearing(FPS);
  const heartbeat = makeHeartbeat(FPS);
  let source = heartbeat; // until the song is played for the first time
  let inSight = true;
  let before = 0;
  let running = false;

  const features = { fps: FPS, names: NAMES, value: (name, frame) => source.value(name, frame) };
  const moves = () => (source === heartbeat ? !still.matches : player.isPlaying());

  function frameNow(now) {
    if (source === heartbeat) return still.matches ? STILL_FRAME : Math.floor((now / 1000) * FPS);
    const frame = Math.floor(player.seconds() * FPS);
    if (player.isPlaying()) hearing.listen(player.analyser(), frame);
    return frame;
  }

  function tick(now) {
    running = inSight && !document.hidden;
    if (!running) return;
    stage.draw(frameNow(now));
    if (before) stage.judge(now - before);
    running = moves();
    before = running ? now : 0;
    if (running) requestAnimationFrame(tick);
  }

  /** Go on drawing if there is something to see. */
  function wake() {
    if (player.isPlaying()) source = hearing;
    if (running) return;
    running = true;
    stage.redraw();
    requestAnimationFrame(tick);
  }

  new IntersectionObserver(([entry]) => {
    inSight = entry.isIntersecting;
    if (inSight) wake();
  }).observe(watch);
  document.addEventListener("visibilitychange", wake);
  still.addEventListener("change", wake);

  return {
    wake,
    /** Show a look: {sceneUrl, parameters, background, width, height, projection}. */
    async show(look) {
      await stage.show({ ...look, features });
      if (stage.isOpen()) onOpen();
      wake();
    },
    /** Another song was chosen: nothing of it was heard yet. */
    startOver() {
      hearing.forget();
      source = heartbeat;
      wake();
    },
  };
}
