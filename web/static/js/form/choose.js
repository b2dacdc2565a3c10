// Choosing a file: by the button, or by dropping it anywhere on the page.

/** `onFile` gets each chosen file; `onRefused` a sentence when it cannot be used. */
export function makeChooser({ input, stage, limit, onFile, onRefused }) {
  let depth = 0;

  const faultOf = (file) => {
    if (file.size === 0) return "is empty";
    if (file.size > limit) return `is larger than ${Math.floor(limit / 1048576)} MB`;
    return null;
  };

  const take = () => {
    const [file] = input.files;
    if (!file) return;
    const fault = faultOf(file);
    if (fault) {
      input.value = "";
      onRefused(`${file.name} ${fault}`);
    } else {
      onFile(file);
    }
  };

  const carriesFile = (event) => event.dataTransfer?.types.includes("Files");
  const lift = (by) => {
    depth = Math.max(0, depth + by);
    stage.classList.toggle("over", depth > 0);
  };

  input.addEventListener("change", take);
  addEventListener("dragenter", (event) => carriesFile(event) && lift(1));
  addEventListener("dragleave", (event) => carriesFile(event) && lift(-1));
  addEventListener("dragover", (event) => carriesFile(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    lift(-depth);
    const given = new DataTransfer();
    if (event.dataTransfer.files[0]) given.items.add(event.dataTransfer.files[0]);
    input.files = given.files;
    take();
  });
  return { take };
}
