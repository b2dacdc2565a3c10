// What was, what is, and what was undone.

const MOST = 200;

/** Holds a value that is never changed in place. `onChange` hears of each new one. */
export function makeHistory(first, onChange) {
  let past = [];
  let now = first;
  let future = [];
  let gesture = null;

  const become = (value) => {
    now = value;
    onChange(now);
  };

  /** Changes of one gesture (a drag, a slider that is moved) are undone together, until `settle`. */
  function change(value, name = null) {
    if (value === now) return;
    if (name === null || name !== gesture) past = [...past.slice(1 - MOST), now];
    gesture = name;
    future = [];
    become(value);
  }
  function undo() {
    if (past.length === 0) return false;
    gesture = null;
    future = [...future, now];
    const before = past.at(-1);
    past = past.slice(0, -1);
    become(before);
    return true;
  }
  function redo() {
    if (future.length === 0) return false;
    gesture = null;
    past = [...past, now];
    const next = future.at(-1);
    future = future.slice(0, -1);
    become(next);
    return true;
  }
  return {
    change, undo, redo,
    settle: () => (gesture = null),
    now: () => now,
    canUndo: () => past.length > 0,
    canRedo: () => future.length > 0,
  };
}
