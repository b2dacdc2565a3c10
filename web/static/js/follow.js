// One job, live: events from the server, or asking now and then where it streams none.

const FINAL = new Set(["complete", "failed", "cancelled"]);
const POLL_MILLISECONDS = 2500;

export const isFinal = (status) => FINAL.has(status);

/** Follow the job at these addresses: {events, api}. `onLook` hears how it stands, `onEnd` of its end, once. */
export function follow({ events, api }, onLook, onEnd) {
  const source = new EventSource(events);
  const hear = (event) => onLook(JSON.parse(event.data));
  source.addEventListener("stage", hear);
  source.addEventListener("progress", hear);
  source.addEventListener("end", (event) => {
    source.close();
    onEnd(JSON.parse(event.data));
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) poll(api, onLook, onEnd); // refused
  });
}

async function poll(address, onLook, onEnd) {
  const answer = await fetch(address).catch(() => null);
  const job = answer?.ok ? await answer.json() : null;
  if (job && FINAL.has(job.status)) return onEnd(job);
  if (job) onLook(job);
  return setTimeout(() => poll(address, onLook, onEnd), POLL_MILLISECONDS);
}
