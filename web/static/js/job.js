// One render, live: events from the server while it goes on, then the page as it is at the end.
import { askBefore } from "./ask.js";
import { watchChunks } from "./chunks.js";
import { follow, isFinal } from "./follow.js";
import { offerLook } from "./look.js";
import { etaWords, showTimes } from "./words.js";

const page = document.querySelector("[data-job]");
const STATUS_WORDS = { pending: "Waiting", processing: page.dataset.processing };
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
  const around = document.querySelector(".screen[data-projection]");
  if (around) offerLook(around, document.querySelector("[data-look]"));
}

wire();
if (!isFinal(page.dataset.status)) {
  follow({ events: page.dataset.events, api: page.dataset.api }, show, finish);
  watchChunks(page);
}
