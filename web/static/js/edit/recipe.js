// Recipes: which parts of which sounds follow each other. Every move gives a new recipe and leaves the old one alone.

export const SHORTEST = 0.1;

export const wholeOf = ({ assetId, audio }) => ({
  sourceAssetId: assetId, startTime: 0, endTime: audio.duration, volume: 1, fadeIn: 0, fadeOut: 0,
});

/** A recipe of all of a sound, as it came in. */
export const recipeOf = (source) => ({
  version: 1,
  assetId: source.assetId,
  clips: [{ id: "clip-1", ...wholeOf(source) }],
  normalize: false,
  outputFormat: "wav",
  outputSampleRate: 44100,
});

export const lengthOf = ({ startTime, endTime }) => Math.max(0, endTime - startTime);
export const totalOf = ({ clips }) => clips.reduce((sum, clip) => sum + lengthOf(clip), 0);
export const clipOf = ({ clips }, id) => clips.find((clip) => clip.id === id);
export const placeOf = ({ clips }, id) => clips.findIndex((clip) => clip.id === id);

/** An id that no clip of the recipe has. */
export function nextId({ clips }) {
  const numbers = clips.map(({ id }) => Number(/^clip-(\d+)$/.exec(id)?.[1] ?? 0));
  return `clip-${Math.max(0, ...numbers) + 1}`;
}

export function insertClip(recipe, clip, at = recipe.clips.length) {
  return { ...recipe, clips: recipe.clips.toSpliced(at, 0, { ...clip, id: nextId(recipe) }) };
}

export function changeClip(recipe, id, changes) {
  return { ...recipe, clips: recipe.clips.map((clip) => (clip.id === id ? { ...clip, ...changes } : clip)) };
}

export function removeClip(recipe, id) {
  return { ...recipe, clips: recipe.clips.filter((clip) => clip.id !== id) };
}

/** The clip at another place of the order; a place beyond the ends changes nothing. */
export function moveClip(recipe, id, to) {
  const from = placeOf(recipe, id);
  if (from === to || to < 0 || to >= recipe.clips.length) return recipe;
  return { ...recipe, clips: recipe.clips.toSpliced(from, 1).toSpliced(to, 0, recipe.clips[from]) };
}

/** The clip with its fades no longer than it is. */
export function fitFades(clip) {
  const fadeIn = Math.min(clip.fadeIn, lengthOf(clip));
  return { ...clip, fadeIn, fadeOut: Math.min(clip.fadeOut, Math.max(0, lengthOf(clip) - fadeIn)) };
}

/** The recipe without this part of a source: clips across it become two. A part of no length splits them there. */
export function cutOut(recipe, sourceAssetId, from, to) {
  return replaceClips(recipe, sourceAssetId, from, to, (clip) => [
    { ...clip, endTime: Math.min(clip.endTime, from), fadeOut: 0 },
    { ...clip, startTime: Math.max(clip.startTime, to), fadeIn: 0 },
  ]);
}

/** The recipe with nothing of a source but this part of it. */
export function keepOnly(recipe, sourceAssetId, from, to) {
  const inside = (clip) => clip.sourceAssetId !== sourceAssetId || (clip.startTime < to && clip.endTime > from);
  const kept = { ...recipe, clips: recipe.clips.filter(inside) };
  return replaceClips(kept, sourceAssetId, from, to, (clip) => [
    { ...clip, startTime: Math.max(clip.startTime, from), endTime: Math.min(clip.endTime, to) },
  ]);
}

function replaceClips(recipe, sourceAssetId, from, to, partsOf) {
  let clips = [];
  for (const clip of recipe.clips) {
    const isTouched = clip.sourceAssetId === sourceAssetId && clip.startTime < to && clip.endTime > from;
    const parts = isTouched ? partsOf(clip).filter((part) => lengthOf(part) >= SHORTEST).map(fitFades) : [clip];
    for (const [number, part] of parts.entries()) {
      const id = number === 0 ? clip.id : nextId({ clips: [...recipe.clips, ...clips] });
      clips = [...clips, { ...part, id }];
    }
  }
  return { ...recipe, clips };
}

/** How loud a clip is so many seconds after its start: its volume, and fades of equal power. */
export function gainAt(clip, seconds) {
  const rise = (distance, length) => (length > 0 && distance < length ? Math.sin((Math.PI / 2) * Math.max(0, distance / length)) : 1);
  return clip.volume * rise(seconds, clip.fadeIn) * rise(lengthOf(clip) - seconds, clip.fadeOut);
}
