// The pointer on the waveform: a click goes there, a drag marks a range, the wheel zooms and pans.

const STILL = 4; // pixels: less than this is no drag

/** `timeOf(clientX)` tells the time under the pointer. */
export function listenToSurface(surface, { view, timeOf, onSeek, onMark, onMarked }) {
  let down = null;
  let isMarking = false;

  surface.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    surface.setPointerCapture(event.pointerId);
    down = { x: event.clientX, time: timeOf(event.clientX) };
    isMarking = false;
  });
  surface.addEventListener("pointermove", (event) => {
    if (!down) return;
    isMarking ||= Math.abs(event.clientX - down.x) >= STILL;
    if (isMarking) onMark(down.time, timeOf(event.clientX));
  });
  surface.addEventListener("pointerup", (event) => {
    if (down && isMarking) onMarked();
    else if (down) onSeek(timeOf(event.clientX));
    down = null;
  });
  surface.addEventListener("pointercancel", () => {
    if (down && isMarking) onMarked();
    down = null; // the page scrolls with this finger
  });
  surface.addEventListener("wheel", (event) => {
    const closer = event.ctrlKey || event.metaKey;
    const aside = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (closer) view.zoom(Math.exp(-event.deltaY / 240), timeOf(event.clientX));
    else if (aside && !view.isWhole()) view.startAt(view.from + (aside / surface.clientWidth) * view.span());
    else return;
    event.preventDefault();
  }, { passive: false });
}
