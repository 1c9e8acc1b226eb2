// How much of the page is in sight at once. A view that is higher than that would hide its own controls.

const LEAST_PX = 420; // in a window that is lower than this, a view is scrolled
const SHORT_PX = 780; // below this, lanes and small pictures are smaller

/**
 * The window that an element lies in: JupyterLab places its windows absolutely. Null where it is the browser's own.
 * @param {Element} element
 */
function windowOf(element) {
  if (document.fullscreenElement === element) return null;
  for (let outer = element.parentElement; outer && outer !== document.body; outer = outer.parentElement)
    if (["absolute", "fixed"].includes(getComputedStyle(outer).position)) return outer;
  return null;
}

/**
 * Keep `--dkd-room`, the height in sight in CSS pixels, and the class `dkd-short` of a view up to date.
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export function watchRoom(root, signal) {
  let before = 0;
  const measure = () => {
    if (!root.isConnected) return;
    const outer = windowOf(root);
    if (outer) observer.observe(outer); // once more does nothing
    const height = Math.min(outer?.clientHeight ?? innerHeight, innerHeight);
    if (!height || height === before) return; // without a height, another tab is in front
    before = height;
    root.style.setProperty("--dkd-room", `${Math.max(LEAST_PX, height)}px`);
    root.classList.toggle("dkd-short", height < SHORT_PX);
  };
  const observer = new ResizeObserver(measure); // called first when the view is laid out
  observer.observe(root);
  addEventListener("resize", measure, { signal });
  document.addEventListener("fullscreenchange", measure, { signal });
  signal.addEventListener("abort", () => observer.disconnect());
}
