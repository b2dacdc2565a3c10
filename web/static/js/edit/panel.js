// What the cut comes to: its length, how it is kept, hearing it, saving it, going on to a video.
import { hereOf } from "../links.js";
import { totalOf } from "./recipe.js";
import { timeWords } from "./time.js";
import { makeWork } from "./work.js";

const decibels = (value) => value.toFixed(1).replace("-", "−");

/** What the loudness came to; nothing where it was not measured, or there is only silence. */
function loudnessWords(loudness) {
  if (typeof loudness?.lufs !== "number") return "";
  const { lufs, truePeak, limited } = loudness;
  return ` ${decibels(lufs)} LUFS, peaks at ${decibels(truePeak)} dB${limited ? ", no louder because of them" : ""}.`;
}

/**
 * `addresses` are {preview, save, jobs}. `on` hears: change(changes), refused({message, details?}), saved(recipe),
 * video(). `say` announces.
 */
export function makePanel(root, addresses, on, say) {
  const find = (name) => root.querySelector(`[data-${name}]`);
  const heard = find("heard");
  const hear = makeWork(find("hear-work"), addresses.jobs);
  const save = makeWork(find("save-work"), addresses.jobs);
  let recipe = null;
  let heardRecipe = null;
  let busy = new Set();

  async function work(name, task) {
    busy = new Set([...busy, name]);
    showButtons();
    try {
      await task();
    } catch (refusal) {
      if (refusal instanceof Error) throw refusal;
      on.refused(refusal ?? { message: "Stopped." });
    } finally {
      busy = new Set([...busy].filter((other) => other !== name));
      showButtons();
    }
  }

  const listen = () => work("hear", async () => {
    const asked = recipe;
    on.refused(null);
    const job = await hear(addresses.preview, asked);
    heardRecipe = asked;
    heard.src = hereOf(job.downloadUrl);
    find("heard-box").hidden = false;
    showHeard();
    say("The preview is ready.");
    await heard.play().catch(() => {}); // a browser may want another click
  });

  const keep = (then = () => {}) => work("save", async () => {
    const asked = recipe;
    on.refused(null);
    const job = await save(addresses.save, asked);
    find("saved-words").textContent = `Saved: ${timeWords(job.result.durationSeconds)}.${loudnessWords(job.result.loudness)}`;
    on.saved(asked);
    then();
  });

  function showHeard() {
    find("heard-old").hidden = !heardRecipe || heardRecipe === recipe;
  }
  function showButtons() {
    const isEmpty = !recipe?.clips.length;
    find("hear").disabled = isEmpty || busy.has("hear");
    find("save").disabled = isEmpty || busy.has("save");
    find("video").disabled = isEmpty || busy.has("save");
  }

  find("hear").addEventListener("click", listen);
  find("save").addEventListener("click", () => keep());
  find("video").addEventListener("click", () => on.video(keep));
  find("normalize").addEventListener("change", (event) => on.change({ normalize: event.target.checked }));
  for (const input of root.querySelectorAll("input[name=outputFormat]")) {
    input.addEventListener("change", () => on.change({ outputFormat: input.value }));
  }
  for (const input of root.querySelectorAll("input[name=outputSampleRate]")) {
    input.addEventListener("change", () => on.change({ outputSampleRate: Number(input.value) }));
  }

  return {
    /** Show the recipe, and how it is kept: "saved", "draft" or "nowhere". */
    show(next, kept) {
      recipe = next;
      const count = recipe.clips.length;
      find("total").textContent = timeWords(totalOf(recipe));
      find("count").textContent = count === 1 ? "1 clip" : `${count} clips`;
      find("normalize").checked = recipe.normalize;
      for (const name of ["outputFormat", "outputSampleRate"]) {
        for (const input of root.querySelectorAll(`input[name=${name}]`)) input.checked = input.value === String(recipe[name]);
      }
      for (const words of root.querySelectorAll("[data-kept]")) words.hidden = words.dataset.kept !== kept;
      showHeard();
      showButtons();
    },
    pause: () => heard.pause(),
    onPlay: (hush) => heard.addEventListener("play", hush),
  };
}
