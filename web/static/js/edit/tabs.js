// A button for every sound that clips are taken from, once there is more than one.

export function makeTabs(root, sources, onChoose) {
  let shown = "";

  const button = ({ assetId, originalFilename }) => {
    const made = Object.assign(document.createElement("button"), { type: "button", className: "source", textContent: originalFilename });
    made.dataset.tab = assetId;
    made.addEventListener("click", () => onChoose(assetId));
    return made;
  };

  /** Show the sounds with these ids; `viewed` is the one in sight. */
  return async function show(ids, viewed) {
    const found = (await Promise.all(ids.map(sources.get))).filter(Boolean);
    const names = found.map(({ assetId }) => assetId).join();
    if (names !== shown) root.replaceChildren(...found.map(button));
    shown = names;
    root.hidden = found.length < 2;
    for (const tab of root.children) tab.setAttribute("aria-pressed", String(tab.dataset.tab === viewed));
  };
}
