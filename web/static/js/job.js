// One render, live: events from the server while it goes on, then the page as it is at the end.
import { askBefore } from "./ask.js";
import { watchChunks } from "./chunks.js";
import { etaWords, showTimes } from "./words.js";

const FINAL = new Set(["complete", "failed", "cancelled"]);
const POLL_MILLISECONDS = 2500;
const STATUS_WORDS = { pending: "Waiting", processing: "Rendering" };

const page = document.querySelector("[data-job]");
const find = (name) => page.querySelector(`[data-${name}]`);

function showRoad(stage) {
  const parts = [...page.querySelectorAll(".road li")];
  const here = parts.findIndex((part) => part.dataset.stages.split(" ").includes(stage));
  parts.forEach((part, index) => {
    part.className = index < here ? "done" : index === here ? "current" : "ahead";
    part.toggleAttribute("aria-current", index === here);
    if (index === here) part.setAttribute("aria-current", "step");
  });
}

function show(job) {
  if (FINAL.has(job.status)) return;
  find("percent").textContent = String(Math.floor(job.progress));
  find("bar").value = job.progress;
  if (find("words").textContent !== job.message) find("words").textContent = job.message;
  find("chip").textContent = STATUS_WORDS[job.status];
  find("chip").className = `chip ${job.status}`;
  document.title = `${Math.floor(job.progress)} % · ${job.title} · Ethereal`;
  find("eta").textContent = job.eta ? etaWords(job.eta) : find("eta").dataset.eta;
  showRoad(job.stage);
}

/** The page as the server shows it at the end, put in place of this one. */
async function finish() {
  const answer = await fetch(location.href);
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.title = next.title;
  document.querySelector("main").replaceChildren(...next.querySelector("main").childNodes);
  document.querySelector("main").focus({ preventScroll: true });
  wire();
}

async function poll(address) {
  const answer = await fetch(address).catch(() => null);
  const job = answer?.ok ? await answer.json() : null;
  if (job && FINAL.has(job.status)) return finish();
  if (job) show(job);
  return setTimeout(() => poll(address), POLL_MILLISECONDS);
}

function follow() {
  const events = new EventSource(page.dataset.events);
  const hear = (event) => show(JSON.parse(event.data));
  events.addEventListener("stage", hear);
  events.addEventListener("progress", hear);
  events.addEventListener("end", () => {
    events.close();
    finish();
  });
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED) poll(page.dataset.api); // refused: ask now and then
  });
}

function offerCopy(button) {
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1800);
  });
}

function wire() {
  showTimes(document);
  askBefore(document);
  document.querySelectorAll("[data-copy]").forEach(offerCopy);
}

wire();
if (!FINAL.has(page.dataset.status)) {
  follow();
  watchChunks(page);
}
