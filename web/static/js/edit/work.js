// A job that makes the sound of a recipe: asked for, followed, stopped.
import { follow } from "../follow.js";

const SILENT = { message: "The server does not answer. Your draft is kept: try again." };

async function ask(address, recipe) {
  const key = `${Date.now()}.${Math.random()}`; // a browser may send again by itself what met a broken connection
  const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
  const options = { method: "POST", headers, body: JSON.stringify(recipe) };
  const answer = await fetch(address, options).catch(() => null);
  if (answer?.status === 401) location.assign("/login");
  const body = await answer?.json().catch(() => null);
  if (answer?.status !== 202) throw body?.error ?? SILENT;
  return body.jobId;
}

/** Shows its progress in `root`; `jobs` is the address that jobs lie under. */
export function makeWork(root, jobs) {
  const find = (name) => root.querySelector(`[data-work-${name}]`);

  function show(job) {
    find("bar").value = job.progress;
    find("words").textContent = `${job.message} · ${Math.floor(job.progress)} %`;
  }

  async function toEnd(jobId) {
    const api = `${jobs}/${jobId}`;
    find("stop").onclick = () => fetch(`${api}/cancel`, { method: "POST" });
    const job = await new Promise((resolve) => follow({ events: `${api}/events`, api }, show, resolve));
    if (job.status === "failed") throw job.error;
    if (job.status === "cancelled") throw null;
    return job;
  }

  /** Resolve to the complete job. Reject with {message, details?}, or with null when it was stopped. */
  return async function run(address, recipe) {
    show({ progress: 0, message: "Checking the clips" });
    root.hidden = false;
    try {
      return await toEnd(await ask(address, recipe));
    } finally {
      root.hidden = true;
    }
  };
}
