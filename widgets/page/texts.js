// What stands around the views of a page: caption, people, bookmarks, origin, licences. Names and notes are texts of
// the page's author: they become text, never markup.

import { h } from "../core/dom.js";
import { numberOf, secondsOf } from "../core/text.js";

/** @import { CursorState } from "../core/cursor.js" */
/** @import { Store } from "../core/store.js" */
/** @import { Contents, Person, RecordedView } from "./contents.d.ts" */

const RECORDED =
  "This page is a recorded run. Tracking again, changing kernels and correcting joints need the model: " +
  "a page from a file cannot do them, the notebook can.";

/**
 * A choice between several runs: of people by name, of steps on a slider; nothing for one, or for runs that are chosen
 * elsewhere.
 * @param {Contents} contents
 * @param {(index: number) => void} show
 */
export function buildRuns({ arrange, people }, show) {
  if (people.length < 2) return [];
  if (arrange === "choice") return [buildPeople(people, show)];
  return arrange === "steps" ? [buildSteps(people, show)] : [];
}

/**
 * @param {Person[]} people
 * @param {(index: number) => void} show
 */
function buildPeople(people, show) {
  const options = people.map(({ name }, i) => h("option", { value: i }, name));
  /** @type {HTMLSelectElement} */
  const select = h("select", { title: "Person", onchange: () => show(Number(select.value)) }, ...options);
  return h("label", { class: "dkd-check dkd-page-people" }, "Person", select);
}

/**
 * @param {Person[]} people
 * @param {(index: number) => void} show
 */
function buildSteps(people, show) {
  const text = h("output", {});
  /** @type {HTMLInputElement} */
  const slider = h("input", { type: "range", min: 0, max: people.length - 1, step: 1, value: 0 });
  const say = () => {
    const { name } = people[Number(slider.value)];
    text.textContent = name;
    slider.setAttribute("aria-valuetext", name);
  };
  slider.addEventListener("input", () => {
    say();
    show(Number(slider.value));
  });
  slider.addEventListener("keydown", (event) => event.stopPropagation()); // the arrow keys are not the frames'
  say();
  return h("label", { class: "dkd-check dkd-page-people dkd-page-steps" }, "Training time", slider, text);
}

/** @param {string} name of one of the runs that stand beside each other */
export const buildName = (name) => h("h3", { class: "dkd-page-name" }, name);

/** @param {Contents} contents */
export const buildCaption = ({ caption }) => (caption ? [h("p", { class: "dkd-page-caption" }, caption)] : []);

/**
 * The bookmarks, to jump to; their frames have the numbers of the video once the header is known.
 * @param {Contents} contents
 * @param {Store} store
 * @param {CursorState} cursor
 */
export function buildBookmarks({ bookmarks }, store, cursor) {
  const list = h("ol", { class: "dkd-page-marks" });
  const element = h("section", { class: "dkd-panel", "aria-label": "Bookmarks" }, h("h3", {}, "Bookmarks"), list);
  const view = {
    header() {
      const items = bookmarks.map(({ frame, note }) => {
        const number = numberOf(store.header, frame);
        const seconds = secondsOf(store.header, frame).toFixed(3);
        const go = () => cursor.seek(frame);
        const button = h(
          "button",
          { class: "dkd-text", title: `Go to frame ${number}`, onclick: go },
          `frame ${number}`,
        );
        return h("li", {}, button, h("span", { class: "dkd-muted" }, `${seconds} s`), h("span", {}, note));
      });
      list.replaceChildren(...items);
    },
    paint() {},
  };
  return { elements: bookmarks.length ? [element] : [], view };
}

/**
 * Where the run comes from, what was rounded, and the licences.
 * @param {Contents} contents
 * @param {Store} store
 * @param {string} run its name, where another one stands beside it
 */
export function buildAbout(contents, store, run) {
  const list = h("dl", {});
  const update = (/** @type {number} */ person) => {
    const { facts, look = contents.look, arithmetic = contents.arithmetic } = contents.people[person];
    const all = [
      ...facts,
      ["pictures", `${look}; frames are exact by their number`],
      ...rounding(store, arithmetic, contents.views ?? []),
    ];
    list.replaceChildren(...all.flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]));
  };
  const licences = [contents.licence ? `Video: ${contents.licence}.` : "", contents.code].filter(Boolean).join(" ");
  const element = h(
    "section",
    { class: "dkd-panel dkd-page-about", "aria-label": run ? `About ${run}` : "About this page" },
    h("details", {}, h("summary", {}, run ? `About ${run}` : "About this page"), h("p", {}, RECORDED), list),
    h("p", {}, licences),
  );
  return { element, update };
}

/**
 * @param {Store} store
 * @param {number} arithmetic in how many frames there is any
 * @param {RecordedView[]} views
 * @returns {[string, string][]}
 */
function rounding({ header }, arithmetic, views) {
  if (!header || header.is_track) return [];
  const [low, high] = header.map_range;
  const step = ((high - low) / 510).toFixed(3);
  const maps = `joints and scores are exact; maps are rounded to 8 bits, by at most ${step}`;
  if (!header.channels) return [["numbers", maps]];
  const many = arithmetic < header.n_frames ? `${arithmetic} of ${header.n_frames} frames` : "all frames";
  const exact = views.some((view) => view.exact) ? " Frames that can be taken apart have them in float32." : "";
  const all = `${maps}, kernels to 8 bits, and features to 6. The arithmetic of cells is here for ${many}.${exact}`;
  return [["numbers", all]];
}
