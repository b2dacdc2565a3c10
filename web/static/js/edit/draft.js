// The draft of a recipe, kept in this browser until it is saved: a reload loses nothing.

const nameOf = (assetId) => `ethereal.edit.${assetId}`;
const isClip = (clip) =>
  typeof clip?.id === "string" && typeof clip.sourceAssetId === "string" &&
  ["startTime", "endTime", "volume", "fadeIn", "fadeOut"].every((name) => Number.isFinite(clip[name]));

/** The draft of an asset's recipe; null when there is none that can be read. */
export function loadDraft(assetId) {
  try {
    const draft = JSON.parse(localStorage.getItem(nameOf(assetId)));
    return draft?.version === 1 && draft.assetId === assetId && draft.clips.every(isClip) ? draft : null;
  } catch {
    return null;
  }
}

/** Keep a draft, or drop it when it is null. Whether that worked: a browser may forbid it, or be full. */
export function keepDraft(assetId, draft) {
  try {
    if (draft) localStorage.setItem(nameOf(assetId), JSON.stringify(draft));
    else localStorage.removeItem(nameOf(assetId));
    return true;
  } catch {
    return false;
  }
}
