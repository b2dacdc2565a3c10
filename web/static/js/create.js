// The form: choose a song, hear and see it, send it.
import { makeChooser } from "./form/choose.js";
import { clearProblems, showProblems } from "./form/problems.js";
import { send, startOver } from "./form/send.js";
import { makeTuner } from "./form/tune.js";
import { makePlayer } from "./preview/player.js";
import { makePreview } from "./preview/preview.js";
import { sizeWords } from "./words.js";

const form = document.querySelector("#create");
const find = (name) => form.querySelector(`[data-${name}]`);
const stage = find("stage");
const templates = new Map();
let parameters = {};

const picked = (name) => form.querySelector(`input[name="${name}"]:checked`);
const player = makePlayer(find("player"), () => preview.wake());
const preview = makePreview({
  canvas: find("canvas"),
  watch: stage,
  player,
  onOpen: () => {
    find("canvas").hidden = false;
    stage.classList.add("drawing");
  },
  onTrouble: () => {
    find("canvas").hidden = true;
    stage.classList.remove("drawing");
    tellNote("The live preview does not run in this browser. Your video will: it is drawn on the server.");
  },
});
const tuner = makeTuner({
  root: find("tune"),
  config: find("config"),
  onChange: (values) => {
    parameters = values;
    showLater();
  },
});

function tellNote(sentence) {
  find("note").textContent = sentence;
  find("note").hidden = false;
}

function summarise() {
  const format = picked("outputFormat");
  find("clear").disabled = !("transparent" in picked("container").dataset) || format.dataset.projection !== "flat";
  const name = picked("template").closest("label").querySelector(".look-name").textContent;
  find("format-hint").textContent = format.dataset.hint;
  find("summary").textContent = `${name} · ${format.dataset.width} × ${format.dataset.height} · ${picked("fps").value} fps`;
}

function showLook() {
  const template = templates.get(picked("template").value);
  const { width, height, projection } = picked("outputFormat").dataset;
  const background = find("clear").checked && !find("clear").disabled ? "transparent" : "scene";
  stage.classList.toggle("clear", background === "transparent");
  const size = { width: Number(width), height: Number(height), projection };
  stage.classList.toggle("around", projection !== "flat");
  if (template) preview.show({ sceneUrl: template.sceneUrl, parameters, background, ...size });
}

let waiting = 0;
function showLater() {
  clearTimeout(waiting);
  waiting = setTimeout(showLook, 120);
}

/** A template was chosen: its picture, its words, its controls. */
async function chooseTemplate(made = {}) {
  const template = templates.get(picked("template").value);
  if (!template) return;
  find("description").textContent = template.description;
  if (template.pictureUrl) find("still").src = template.pictureUrl;
  const { parameters: declared = {} } = await import(template.sceneUrl);
  parameters = tuner.show(declared, template.parameters, made);
  showLook();
}

/** A sound was chosen: let it be heard and seen. `source` is a file, or the address of a sound. */
function useSound(name, size, source) {
  clearProblems(form);
  for (const part of ["drop", "hint", "address"]) find(part).hidden = true;
  find("player").hidden = false;
  form.elements.namedItem("url").value = "";
  find("name").textContent = name;
  find("size").textContent = size;
  stage.classList.add("chosen");
  form.elements.namedItem("title").placeholder = name.replace(/\.[^.]+$/, "");
  tellNote("A live preview, close to the result. The video is drawn frame by frame in full quality.");
  player.load(source);
  preview.startOver();
}

function useFile(file) {
  find("library")?.remove(); // the file is in place of it
  useSound(file.name, sizeWords(file.size), file);
  find("play").focus({ preventScroll: true });
}

function showSending(isSending) {
  find("sending").hidden = !isSending;
  find("submit").hidden = isSending;
  find("summary").hidden = isSending;
}

function showSent(part) {
  const percent = Math.floor(part * 100);
  find("sending-bar").value = percent;
  find("sending-words").textContent = part < 1 && form.elements.namedItem("file").files.length > 0 ? `Sending the song: ${percent} %` : "Checking the sound";
}

async function submit(event) {
  event.preventDefault();
  clearProblems(form);
  const hasFile = form.elements.namedItem("file").files.length > 0;
  const named = ["url", "assetId"].some((name) => form.elements.namedItem(name)?.value.trim());
  if (!hasFile && !named) {
    showProblems(form, { message: "", details: { file: ["Choose a song first"] } });
    return;
  }
  showSending(true);
  showSent(0);
  const sending = send(form, showSent);
  find("abort").onclick = sending.stop;
  try {
    const { jobId } = await sending.done;
    location.assign(`/jobs/${jobId}`);
  } catch (refusal) {
    showSending(false);
    if (refusal) showProblems(form, refusal);
    else find("submit").focus();
  }
}

function readConfig() {
  try {
    return JSON.parse(find("config").value || "{}");
  } catch {
    return {};
  }
}

form.noValidate = true; // our own words appear beside the field
form.addEventListener("submit", submit);
form.addEventListener("change", (event) => {
  summarise();
  if (event.target.name === "template") chooseTemplate();
  if (["outputFormat", "container", "background"].includes(event.target.name)) showLook();
});
find("player").addEventListener("unplayable", () => {
  tellNote("This browser cannot play the file, so there is no live preview. The render reads more formats: go ahead.");
});
addEventListener("keydown", (event) => {
  if (event.key !== " " || event.target !== document.body || find("player").hidden) return;
  event.preventDefault();
  player.toggle();
});
addEventListener("pageshow", () => {
  showSending(false);
  startOver();
});

const chooser = makeChooser({
  input: form.elements.namedItem("file"),
  stage,
  limit: Number(form.dataset.limit),
  onFile: useFile,
  onRefused: (sentence) => showProblems(form, { message: "", details: { file: [sentence] } }),
});
summarise();
const answer = await fetch("/api/templates");
if (answer.ok) for (const template of (await answer.json()).templates) templates.set(template.id, template);
if (find("library")) useSound(find("library").dataset.name, "", find("library").dataset.stream);
await chooseTemplate(readConfig());
chooser.take(); // a file that the browser kept over a reload
