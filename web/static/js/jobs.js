// The list of renders: those under way move on by themselves.
import { showTimes } from "./words.js";

const POLL_MILLISECONDS = 2000;
const STATUS_WORDS = { pending: "Waiting", processing: "Rendering" };
const list = document.querySelector("[data-jobs]");

function show(card, job) {
  card.dataset.status = job.status;
  card.querySelector("[data-bar]").value = job.progress;
  const chip = card.querySelector("[data-chip]");
  chip.className = `chip ${job.status}`;
  chip.textContent = job.status === "processing" ? `${Math.floor(job.progress)} %` : STATUS_WORDS[job.status];
}

async function look() {
  const living = new Map([...list.querySelectorAll("[data-living]")].map((card) => [card.dataset.job, card]));
  if (living.size === 0) return;
  const answer = document.hidden ? null : await fetch(`${list.dataset.api}?limit=100`).catch(() => null);
  const { jobs } = answer?.ok ? await answer.json() : { jobs: [] };
  for (const job of jobs.filter(({ jobId }) => living.has(jobId))) {
    if (!(job.status in STATUS_WORDS)) return location.reload(); // one has ended: its picture and link are new
    show(living.get(job.jobId), job);
  }
  setTimeout(look, POLL_MILLISECONDS);
}

showTimes(document);
if (list) look();
