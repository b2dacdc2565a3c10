// The sounds of the library that clips are taken from.
import { clockWords } from "../words.js";

/** Knows what was asked for before: `get(id)` resolves to the asset with its peaks, or to null when it is gone. */
export function makeSources(address) {
  const asked = new Map();

  async function ask(id) {
    const answer = await fetch(`${address}/${encodeURIComponent(id)}`).catch(() => null);
    if (answer?.status === 401) location.assign("/login");
    if (!answer?.ok && answer?.status !== 404) asked.delete(id); // perhaps next time
    return answer?.ok ? answer.json() : null;
  }
  return {
    get(id) {
      if (!asked.has(id)) asked.set(id, ask(id));
      return asked.get(id);
    },
    stream: (id) => `${address}/${encodeURIComponent(id)}/stream?variant=original`,
    async list(cursor) {
      const answer = await fetch(`${address}?limit=50${cursor ? `&cursor=${cursor}` : ""}`).catch(() => null);
      return answer?.ok ? answer.json() : null;
    },
  };
}

/** The dialog that a sound of the library is chosen in; `onChoose` gets its id. */
export function makeLibrary(dialog, sources, onChoose) {
  const list = dialog.querySelector("[data-library-list]");
  const more = dialog.querySelector("[data-library-more]");
  const words = dialog.querySelector("[data-library-words]");
  let cursor = null;

  function row({ assetId, originalFilename, audio }) {
    const made = document.createElement("li");
    const button = Object.assign(document.createElement("button"), { type: "button", className: "library-sound" });
    const name = Object.assign(document.createElement("span"), { textContent: originalFilename });
    const length = Object.assign(document.createElement("span"), { className: "faint", textContent: clockWords(audio.duration) });
    button.append(name, length);
    button.addEventListener("click", () => {
      dialog.close();
      onChoose(assetId);
    });
    made.append(button);
    return made;
  }

  async function load() {
    more.disabled = true;
    const page = await sources.list(cursor);
    words.hidden = page !== null;
    more.disabled = false;
    if (!page) return;
    list.append(...page.assets.map(row));
    cursor = page.cursor;
    more.hidden = !cursor;
  }
  more.addEventListener("click", load);

  return {
    async open() {
      cursor = null;
      list.replaceChildren();
      dialog.showModal();
      await load();
      list.querySelector("button")?.focus();
    },
  };
}
