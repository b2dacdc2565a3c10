// Fine-tuning a look: a control for everything its scene declares. Only what differs from the template is sent.

function numberKnob({ min, max }) {
  const input = document.createElement("input");
  Object.assign(input, { type: "range", min, max, step: max - min > 20 ? 1 : 0.01 });
  return input;
}

function colorKnob() {
  const input = document.createElement("input");
  input.type = "color";
  return input;
}

function choiceKnob({ choices }) {
  const select = document.createElement("select");
  select.append(...choices.map((choice) => new Option(choice, choice)));
  return select;
}

const KNOBS = { number: numberKnob, color: colorKnob, choice: choiceKnob };
const SHOWN = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });

function makeKnob(name, rule, value, onTurn) {
  const label = document.createElement("label");
  label.className = "knob";
  const words = document.createElement("span");
  words.textContent = rule.label;
  const input = KNOBS[rule.type](rule);
  const shown = document.createElement("span");
  shown.className = "knob-value";
  shown.ariaHidden = "true"; // the slider tells its value itself
  const show = () => {
    shown.textContent = rule.type === "number" ? SHOWN.format(Number(input.value)) : "";
  };
  input.value = value;
  input.addEventListener("input", () => {
    show();
    onTurn(name, rule.type === "number" ? Number(input.value) : input.value);
  });
  show();
  label.append(words, ...(rule.type === "number" ? [shown, input] : [input]));
  return label;
}

/** Fills `root` with controls. `config` is the hidden field that carries the changes; `onChange` hears of each. */
export function makeTuner({ root, config, onChange }) {
  const controls = root.querySelector("[data-controls]");
  let template = {};
  let changes = {};

  const keep = () => {
    config.value = Object.keys(changes).length > 0 ? JSON.stringify(changes) : "";
  };
  const turn = (name, value) => {
    if (value === template[name]) delete changes[name];
    else changes[name] = value;
    keep();
    onChange({ ...template, ...changes });
  };

  /** Show the controls of a template: its scene's declarations and its own values, and changes made before. */
  function show(declared, values, made = {}) {
    template = values;
    changes = Object.fromEntries(Object.entries(made).filter(([name]) => name in declared));
    keep();
    const knobs = Object.entries(declared).filter(([, rule]) => rule.type in KNOBS);
    const order = ["choice", "number", "color"];
    knobs.sort(([, a], [, b]) => order.indexOf(a.type) - order.indexOf(b.type));
    controls.replaceChildren(
      ...knobs.map(([name, rule]) => makeKnob(name, rule, changes[name] ?? values[name] ?? rule.default, turn)),
    );
    root.hidden = knobs.length === 0;
    return { ...template, ...changes };
  }

  let declaredNow = {};
  root.querySelector("[data-reset]").addEventListener("click", () => onChange(show(declaredNow, template)));
  return {
    show: (declared, values, made) => show((declaredNow = declared), values, made),
  };
}
