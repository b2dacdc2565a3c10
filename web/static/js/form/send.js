// Sending the form with its file: progress while it goes out, a job or a refusal at the end.

const SILENT = { message: "The server does not answer. Is it running? Your choices are still here: try again." };

const UNSENT = new Set(["csrfToken", "idempotencyKey", "file"]);
let told = "";
let version = 0;

/** The key under which this form is one request, however often it is sent; changed, it is another one. */
function keyOf(form) {
  const [file] = form.elements.namedItem("file").files;
  const fields = [...new FormData(form)].filter(([name]) => !UNSENT.has(name));
  const says = JSON.stringify([fields, file && [file.name, file.size, file.lastModified]]);
  if (says !== told) version += 1;
  told = says;
  return `${form.elements.namedItem("idempotencyKey").value}.${version}`;
}

/** Let the form as it is be a new request: somebody came back to it. */
export function startOver() {
  told = "";
}

/** The fields first, the file last, if there is one: the server checks them before it takes the file in. */
function bodyOf(form) {
  const body = new FormData();
  for (const [name, value] of new FormData(form)) {
    if (!UNSENT.has(name) && value !== "") body.append(name, value);
  }
  const [file] = form.elements.namedItem("file").files;
  if (file) body.append("file", file, file.name);
  return body;
}

function refusalOf(request) {
  try {
    return JSON.parse(request.responseText).error ?? SILENT;
  } catch {
    return SILENT;
  }
}

/** Send the form. `done` resolves to {jobId} or rejects with {message, details?}, null when it was stopped. */
export function send(form, onProgress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    request.addEventListener("load", () => {
      if (request.status === 401) location.assign("/login");
      else if (request.status === 202) resolve(JSON.parse(request.responseText));
      else reject(refusalOf(request));
    });
    request.addEventListener("error", () => reject(SILENT));
    request.addEventListener("abort", () => reject(null));
  });
  request.open("POST", form.dataset.api);
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("Idempotency-Key", keyOf(form));
  request.send(bodyOf(form));
  return { done, stop: () => request.abort() };
}
