// Looking around in a finished video of all directions; in its poster, where this browser does not play the video.
import { UPPER_HALF, WHOLE, lookAround, makeDirections, straightAhead } from "./around.js";

const MOST_PIXELS = 1600; // of the canvas's width
const HAS_PICTURE = 2; // HTMLMediaElement.HAVE_CURRENT_DATA

function makeCanvas(screen) {
  const canvas = document.createElement("canvas");
  screen.prepend(canvas);
  screen.classList.add("looking");
  canvas.width = Math.min(MOST_PIXELS, Math.round(screen.clientWidth * devicePixelRatio));
  canvas.height = Math.round((canvas.width * 9) / 16);
  return canvas;
}

/** Let the pixels be read: those of another origin only come so when asked for at the start. */
function openPixels(video) {
  if (!video || new URL(video.src).origin === location.origin || video.crossOrigin) return;
  video.crossOrigin = "anonymous";
  video.load();
}

function loadPoster(address, onPicture) {
  const poster = new Image();
  poster.crossOrigin = "anonymous";
  poster.addEventListener("load", onPicture);
  poster.src = address;
  return poster;
}

/** Call `onFrame` for each frame that `video` shows. */
function onFrames(video, onFrame) {
  const next = () => {
    onFrame();
    video.requestVideoFrameCallback?.(next);
  };
  video.requestVideoFrameCallback?.(next);
  for (const kind of ["loadeddata", "seeked", ...(video.requestVideoFrameCallback ? [] : ["timeupdate"])]) {
    video.addEventListener(kind, onFrame);
  }
}

/** Show what is on `screen` by direction, and give `button` the way back. */
export function offerLook(screen, button) {
  const shown = screen.querySelector("video, img");
  const video = shown.matches("video") ? shown : null;
  const address = video ? video.poster : shown.src;
  const canvas = makeCanvas(screen);
  const gl = canvas.getContext("webgl2", { alpha: false });
  const lookFlat = (isFlat) => {
    screen.classList.toggle("looking", !isFlat);
    canvas.hidden = isFlat;
    button.textContent = isFlat ? "Look around" : "Show it flat";
  };
  lookFlat(!gl);
  if (!gl) return;

  const texture = makeDirections(gl);
  const part = screen.dataset.projection === "stereo" ? UPPER_HALF : WHOLE;
  const view = lookAround(gl, { texture, facing: straightAhead(), onTurn: () => view.show(), part });
  const take = () => {
    const isPlayed = video?.readyState >= HAS_PICTURE && video.videoWidth > 0;
    const picture = isPlayed ? video : poster;
    if (!picture || (picture === poster && !poster.naturalWidth)) return;
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, true);
    try {
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture);
      view.show();
    } catch {
      lookFlat(true); // its pixels are not ours to read
      button.hidden = true;
    }
  };
  const poster = address ? loadPoster(address, take) : null;
  openPixels(video);
  if (video) onFrames(video, take);
  button.hidden = false;
  button.addEventListener("click", () => lookFlat(!canvas.hidden));
}
