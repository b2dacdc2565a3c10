// The edit page: a recipe, everything that shows it, and everything that changes it.
import { clockWords } from "../words.js";
import { makeCards } from "./cards.js";
import { keepDraft, loadDraft } from "./draft.js";
import { makeHistory } from "./history.js";
import { listenToKeys } from "./keys.js";
import { makeListener } from "./listen.js";
import { makePanel } from "./panel.js";
import * as moves from "./recipe.js";
import { makeLibrary, makeSources } from "./sources.js";
import { makeRange, withEdge } from "./range.js";
import { makeStrip } from "./strip.js";
import { makeTabs } from "./tabs.js";
import { timeWords } from "./time.js";
import { makeWave } from "./wave.js";

const page = document.querySelector("[data-edit]");
const find = (name) => page.querySelector(`[data-${name}]`);
const { asset: assetId, assets, preview, save, jobs, video } = page.dataset;
const sources = makeSources(assets);

const isSame = (left, right) => JSON.stringify(left) === JSON.stringify(right);
const say = (words) => (find("status").textContent = words);
const clips = () => history.now().clips;

let saved = null; // the recipe that the asset has now
let viewed = null; // the source whose waveform is shown
let chosen = null;
let range = null;
let isKept = true;
let isLeaving = false;
let history = null;

function show() {
  const recipe = history.now();
  if (viewed) wave.show({ source: viewed, clips: recipe.clips, chosen, range });
  strip.show(recipe, chosen);
  cards.show(recipe, chosen);
  panel.show(recipe, isDirty() ? (isKept ? "draft" : "nowhere") : "saved");
  find("undo").disabled = !history.canUndo();
  find("redo").disabled = !history.canRedo();
  find("none").hidden = recipe.clips.length > 0;
  showRange(range, viewed?.audio.duration ?? 0);
  showTabs([...new Set([assetId, ...recipe.clips.map((clip) => clip.sourceAssetId)])], viewed?.assetId);
}

const isDirty = () => !isSame(history.now(), saved);

async function view(id) {
  if (viewed?.assetId === id) return;
  const source = await sources.get(id);
  if (!source) return;
  viewed = source;
  range = null;
  find("whole-length").textContent = clockWords(source.audio.duration);
  listener.load(sources.stream(id), source.audio.duration);
  show();
}

async function choose(id) {
  if (id === chosen) return;
  chosen = id;
  const clip = moves.clipOf(history.now(), id);
  if (clip) await view(clip.sourceAssetId);
  if (clip && chosen === id && viewed?.assetId === clip.sourceAssetId) wave.view.revealRange(clip.startTime, clip.endTime);
  show();
}

function becomes(recipe) {
  if (!moves.clipOf(recipe, chosen)) chosen = null;
  isKept = keepDraft(assetId, isSame(recipe, saved) ? null : recipe);
  tell(null);
  show();
}

/** What is wrong: beside the clips that it names, the rest above them. */
function tell(refusal) {
  const details = refusal?.details ?? {};
  const named = Object.entries(details).filter(([name]) => moves.clipOf(history.now(), name));
  const rest = Object.entries(details).filter(([name]) => !moves.clipOf(history.now(), name)).map(([, words]) => words.join("; "));
  const words = rest.length > 0 ? rest.join(". ") : named.length > 0 ? "" : refusal?.message ?? "";
  find("problem").textContent = words;
  find("problem").hidden = !words;
  if (!refusal) return;
  cards.tell(Object.fromEntries(named));
  if (words) find("problem").focus();
}

const mark = (next) => {
  range = next;
  show();
};

function insert(clip, at) {
  const id = moves.nextId(history.now());
  history.change(moves.insertClip(history.now(), clip, at));
  range = null;
  say(`Clip added, ${timeWords(moves.lengthOf(clip))} long.`);
  return choose(id);
}
const addRange = () => range && insert({ ...moves.wholeOf(viewed), startTime: range.from, endTime: range.to });

/** Remove a clip; the focus goes on to the one that follows it. */
function remove(id = chosen) {
  const place = moves.placeOf(history.now(), id);
  if (place < 0) return;
  const focusNext = find("strip").contains(document.activeElement) ? strip.focus : cards.focus;
  history.change(moves.removeClip(history.now(), id));
  say(`Clip ${place + 1} removed.`);
  const next = clips()[Math.min(place, clips().length - 1)];
  if (!next) return;
  choose(next.id);
  if (document.activeElement === document.body) focusNext(next.id);
}

/** Apply a move to the marked range of the source in sight. */
function reshape(move, words) {
  if (!range) return;
  history.change(move(history.now(), viewed.assetId, range.from, range.to));
  say(`${words}. The cut is ${timeWords(moves.totalOf(history.now()))} long.`);
  chosen ??= clips()[0]?.id ?? null;
  mark(null);
}

const markEdge = (edge) => mark(withEdge(range, edge, listener.place(), viewed.audio.duration) ?? range);
/** Where zooming goes to: the marked part, else where it plays in the chosen clip. */
function centre() {
  if (range) return (range.from + range.to) / 2;
  const clip = moves.clipOf(history.now(), chosen);
  if (clip?.sourceAssetId !== viewed.assetId) return listener.place();
  return Math.min(Math.max(listener.place(), clip.startTime), clip.endTime);
}

const change = (id, changes, gesture) => history.change(moves.changeClip(history.now(), id, changes), gesture);
const move = (id, place, gesture) => history.change(moves.moveClip(history.now(), id, place), gesture);
const settle = () => history.settle();
const undo = () => say(history.undo() ? "Undone." : "There is nothing to undo.");
const redo = () => say(history.redo() ? "Done again." : "There is nothing to do again.");

const listener = makeListener(find("audio"), {
  button: find("play"),
  onTime: (time, isPlaying) => {
    find("time").textContent = timeWords(time);
    wave.playAt(time, isPlaying);
    if (isPlaying) panel.pause();
  },
  onTrouble: () => {
    find("unheard").hidden = false;
  },
});
const wave = makeWave(find("wave"), { seek: (time) => listener.seek(time), mark, choose, change, settle });
const showRange = makeRange(find("range-tools"), mark);
const showTabs = makeTabs(find("sources"), sources, view);
const strip = makeStrip(find("strip"), sources, { choose, move, settle });
const cards = makeCards(find("clips"), find("card"), sources, {
  choose, change, settle, move, remove,
  copy: (id) => insert(moves.clipOf(history.now(), id), moves.placeOf(history.now(), id) + 1),
  play: async (id) => {
    const clip = moves.clipOf(history.now(), id);
    await view(clip.sourceAssetId);
    listener.playPart(clip.startTime, clip.endTime);
  },
});
const panel = makePanel(find("panel"), { preview, save, jobs }, {
  change: (changes) => history.change({ ...history.now(), ...changes }),
  refused: tell,
  saved: (recipe) => {
    saved = recipe;
    becomes(history.now());
    say("Saved.");
  },
  video: (keep) => {
    const go = () => {
      isLeaving = !isDirty();
      location.assign(video);
    };
    if (isDirty()) keep(go);
    else go();
  },
}, say);
panel.onPlay(() => listener.pause());
const library = makeLibrary(document.querySelector("#library"), sources, async (id) => insert(moves.wholeOf(await sources.get(id))));

const closer = () => wave.view.zoom(2, centre());
const farther = () => wave.view.zoom(0.5, centre());

for (const [name, act] of Object.entries({
  undo, redo, closer, farther,
  fit: () => wave.view.fit(),
  play: () => listener.toggle(),
  "add-range": addRange,
  "keep-range": () => reshape(moves.keepOnly, "Only the marked part is kept"),
  "cut-range": () => reshape(moves.cutOut, "The marked part is cut out"),
  "add-sound": () => library.open(),
  "start-over": () => history.change({ ...moves.recipeOf(asset), outputFormat: history.now().outputFormat, outputSampleRate: history.now().outputSampleRate }),
  discard: () => {
    history.change(saved);
    find("restored").hidden = true;
  },
})) find(name).addEventListener("click", act);

listenToKeys(find("wave"), {
  undo, redo, remove: () => remove(), add: addRange,
  toggle: () => listener.toggle(),
  split: () => {
    history.change(moves.cutOut(history.now(), viewed.assetId, listener.place(), listener.place()));
    say(`${clips().length} clips now.`);
  },
  markIn: () => markEdge("from"),
  markOut: () => markEdge("to"),
  unmark: () => mark(null),
  closer, farther,
  fit: () => wave.view.fit(),
});
addEventListener("beforeunload", (event) => {
  if (history && isDirty() && !isLeaving) event.preventDefault();
});

const asset = await sources.get(assetId);
if (asset) {
  saved = asset.edits ?? moves.recipeOf(asset);
  const draft = loadDraft(assetId);
  history = makeHistory(draft ?? saved, becomes);
  find("restored").hidden = !draft;
  find("bench").hidden = false;
  await choose(clips()[0]?.id);
  if (!viewed) await view(assetId);
  show();
} else {
  find("missing").hidden = false;
}
find("loading").hidden = true;
