// The chunks of a render, each a cell that fills, and the sheet that shows all of it before it is drawn.
import { hereOf } from "./links.js";

const LOOK_MILLISECONDS = 1500;

function cell(chunk) {
  const made = document.createElement("li");
  made.className = "chunk";
  made.dataset.status = chunk.status;
  made.style.setProperty("--drawn", `${Math.round((100 * chunk.drawn) / chunk.frames)}%`);
  made.style.setProperty("--copied", `${Math.round((100 * chunk.copied) / chunk.frames)}%`);
  const tries = chunk.attempt > 1 ? `, attempt ${chunk.attempt}` : "";
  const seconds = Object.entries(chunk.seconds).map(([name, value]) => `${name} ${value.toFixed(1)} s`);
  const known = chunk.copied ? `, ${chunk.copied} of them known from another render` : "";
  const where = chunk.host ? ` on ${chunk.host}` : "";
  made.title = `Chunk ${chunk.index + 1}: ${chunk.drawn} of ${chunk.frames} frames${known}${tries}${where}` +
    (seconds.length ? ` (${seconds.join(", ")})` : "") + troubles(chunk);
  made.toggleAttribute("data-second", chunk.secondRun);
  const words = document.createElement("span");
  words.className = "unseen";
  words.textContent = made.title;
  made.append(words);
  return made;
}

function troubles(chunk) {
  const second = chunk.status === "done" ? "; another worker was quicker with it" : "; slow, so another worker draws it too";
  const failed = chunk.failures.map(({ worker, code }) => `; failed on ${worker || "a worker"} (${code})`);
  return (chunk.secondRun ? second : "") + failed.join("");
}

function avoidedWords(workers) {
  const verb = workers.length === 1 ? "failed twice and leaves its" : "failed twice each and leave their";
  return workers.length ? `${workers.join(", ")} ${verb} share to others.` : "";
}

/** Keep the grid and the sheet of `page` as the server tells them until the page shows something else. */
export async function watchChunks(page) {
  const grid = page.querySelector("[data-chunks]");
  if (!grid?.isConnected) return;
  const answer = await fetch(grid.dataset.chunks).catch(() => null);
  if (answer?.ok) {
    const { chunks, avoidedWorkers, contactUrl } = await answer.json();
    grid.replaceChildren(...chunks.map(cell));
    grid.hidden = chunks.length < 2;
    const avoided = page.querySelector("[data-avoided]");
    avoided.textContent = avoidedWords(avoidedWorkers);
    avoided.hidden = avoidedWorkers.length === 0;
    const sheet = page.querySelector("[data-contact]");
    if (contactUrl && sheet.hidden) {
      sheet.src = hereOf(contactUrl);
      sheet.hidden = false;
    }
  }
  setTimeout(() => watchChunks(page), LOOK_MILLISECONDS);
}
