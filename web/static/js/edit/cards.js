// The list of clips: each with exact times, its volume, its fades, and what is wrong with it.
import { lengthOf, placeOf } from "./recipe.js";
import { readTime, timeWords, toMilliseconds } from "./time.js";

const TIMES = ["startTime", "endTime", "fadeIn", "fadeOut"];
const FADES = new Set(["fadeIn", "fadeOut"]);
const wordsFor = (name, seconds) => (FADES.has(name) ? String(toMilliseconds(seconds)) : timeWords(seconds));

/** `on` hears: choose(id), change(id, changes, gesture), settle(), move(id, place), copy(id), remove(id), play(id). */
export function makeCards(list, template, sources, on) {
  const cards = new Map();
  let problems = {};
  let recipe = { clips: [] };

  function makeCard(id) {
    const element = template.content.firstElementChild.cloneNode(true);
    const field = (name) => element.querySelector(`[data-field="${name}"]`);
    const button = (name) => element.querySelector(`[data-act="${name}"]`);
    const step = (by, name, back) => {
      on.move(id, placeOf(recipe, id) + by);
      button(button(name).disabled ? back : name).focus(); // a button that ends loses the focus
    };
    const acts = {
      play: () => on.play(id),
      earlier: () => step(-1, "earlier", "later"),
      later: () => step(1, "later", "earlier"),
      copy: () => on.copy(id),
      remove: () => on.remove(id),
    };
    element.dataset.clip = id;
    for (const [name, act] of Object.entries(acts)) button(name).addEventListener("click", act);
    for (const name of TIMES) field(name).addEventListener("change", (event) => take(event.target, id, name));
    field("volume").addEventListener("input", (event) => on.change(id, { volume: Number(event.target.value) / 100 }, `volume of ${id}`));
    field("volume").addEventListener("change", on.settle);
    element.addEventListener("focusin", () => on.choose(id));
    element.addEventListener("pointerdown", () => on.choose(id));
    return { element, field };
  }

  /** What was written into a field of time; what is no time is told there, and nothing changes. */
  function take(input, id, name) {
    const seconds = readTime(input.value);
    if (seconds === null) {
      input.setAttribute("aria-invalid", "true");
      problems = { ...problems, [id]: ["Write a time as seconds (62.5) or as minutes and seconds (1:02.5)."] };
      showProblems(id);
      return;
    }
    const clip = recipe.clips[placeOf(recipe, id)];
    if (seconds !== toMilliseconds(clip[name])) on.change(id, { [name]: seconds });
    else showClip(clip, placeOf(recipe, id));
  }

  function showProblems(id) {
    const { element } = cards.get(id);
    const told = element.querySelector("[data-clip-problem]");
    const sentences = problems[id] ?? [];
    told.hidden = sentences.length === 0;
    told.textContent = sentences.join("; ");
    element.classList.toggle("wrong", sentences.length > 0);
  }

  function showClip(clip, place) {
    const { element, field } = cards.get(clip.id);
    for (const name of TIMES) {
      field(name).value = field(name).defaultValue = wordsFor(name, clip[name]);
      field(name).removeAttribute("aria-invalid");
    }
    const percent = Math.round(clip.volume * 100);
    field("volume").value = String(percent);
    field("volume").setAttribute("aria-valuetext", `${percent} %`);
    element.querySelector("[data-volume]").textContent = `${percent} %`;
    element.querySelector("[data-number]").textContent = String(place + 1);
    element.querySelector("[data-length]").textContent = `${timeWords(lengthOf(clip))} long`;
    element.setAttribute("aria-label", `Clip ${place + 1}`);
    for (const named of element.querySelectorAll("[data-names]")) named.textContent = ` clip ${place + 1}`;
    element.querySelector('[data-act="earlier"]').disabled = place === 0;
    element.querySelector('[data-act="later"]').disabled = place === recipe.clips.length - 1;
    nameSource(clip, element.querySelector("[data-source]"));
  }

  async function nameSource({ sourceAssetId }, place) {
    const source = await sources.get(sourceAssetId);
    place.textContent = source ? source.originalFilename : "A sound that is no longer in the library";
  }

  /** Put the cards in order; a card that has the focus keeps it. */
  function order() {
    const focused = document.activeElement;
    for (const [place, { id }] of recipe.clips.entries()) {
      const { element } = cards.get(id);
      if (list.children[place] !== element) list.insertBefore(element, list.children[place] ?? null);
    }
    if (list.contains(focused) && document.activeElement !== focused) focused.focus({ preventScroll: true });
  }

  return {
    show(next, chosen) {
      const before = new Map(recipe.clips.map((clip) => [clip.id, clip]));
      recipe = next;
      for (const [id, { element }] of cards) {
        if (placeOf(recipe, id) >= 0) continue;
        element.remove();
        cards.delete(id);
      }
      for (const { id } of recipe.clips) if (!cards.has(id)) cards.set(id, makeCard(id));
      order();
      for (const [place, clip] of recipe.clips.entries()) {
        if (before.has(clip.id) && before.get(clip.id) !== clip) delete problems[clip.id];
        showClip(clip, place);
        showProblems(clip.id);
        cards.get(clip.id).element.classList.toggle("chosen", clip.id === chosen);
      }
    },
    /** Tell what is wrong beside each clip: {id: [sentences]}. The first of them is brought into sight. */
    tell(found) {
      problems = { ...found };
      for (const id of cards.keys()) showProblems(id);
      const first = recipe.clips.find(({ id }) => id in problems);
      if (first) cards.get(first.id).element.focus();
    },
    focus: (id) => cards.get(id)?.element.focus({ preventScroll: true }),
  };
}
