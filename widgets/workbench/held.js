// A held button repeats, as a held key does.

const FIRST_MS = 400;
const EVERY_MS = 33;

/**
 * @template {HTMLElement} T
 * @param {T} button
 * @param {(repeats: number) => void} repeat
 * @param {AbortSignal} signal
 * @returns {T}
 */
export function holdable(button, repeat, signal) {
  let timer = 0;
  const stop = () => clearTimeout(timer);
  const begin = () => {
    let count = 0;
    const again = () => {
      count += 1;
      repeat(count);
      timer = setTimeout(again, EVERY_MS);
    };
    timer = setTimeout(again, FIRST_MS);
  };
  button.addEventListener("pointerdown", begin, { signal });
  for (const end of ["pointerup", "pointerleave", "pointercancel"]) button.addEventListener(end, stop, { signal });
  signal.addEventListener("abort", stop);
  return button;
}
