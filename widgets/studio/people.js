// Who is tracked: a list of people with names and colours, how far each is, and the button that starts it.

import { h } from "../core/dom.js";
import { REFINED } from "../core/text.js";
import { middle } from "./box.js";

/** @import { Clip, Person, State } from "./types.d.ts" */
/** @import { Link } from "./link.js" */

/**
 * What the button says: Track 1 person through 300 frames.
 * @param {State} state
 */
export function trackLabel({ people, range, tracking }) {
  if (tracking) return "Tracking …";
  const open = people.filter(({ state }) => state !== "done").length;
  const count = range[1] - range[0];
  const frames = `${count.toLocaleString("en")} frame${count > 1 ? "s" : ""}`;
  if (!people.length) return "Track";
  if (!open) return people.length > 1 ? "Everybody is tracked" : "Tracked";
  return `Track ${open} ${open > 1 ? "people" : "person"} through ${frames}`;
}

/**
 * What was found in the shown frame, in words.
 * @param {State} state
 * @param {number} frame
 */
export function foundText({ finding, proposals, proposed_in, people }, frame) {
  if (finding) return "Looking for people …";
  if (proposed_in !== frame) return "";
  if (!proposals.length) return "Nobody was found in this frame. Draw a box around a person.";
  const found = `${proposals.length} ${proposals.length > 1 ? "people were" : "person was"} found`;
  return people.length ? `${found} in this frame.` : `${found}: click a dashed box to take it.`;
}

/**
 * How far a person is, in words.
 * @param {Person} person
 * @param {number} rate frames per second, 0 where it is not known yet
 */
export function progressText({ state, done, of, text }, rate) {
  if (state === "waiting") return "waits for its turn";
  if (state !== "tracking") return text;
  if (!done) return "starting …";
  const left = rate > 0 ? `, about ${Math.ceil((of - done) / rate)} s left` : "";
  return `${done} of ${of} frames${left}`;
}

/**
 * @param {Link} link
 * @param {{ frame: () => number, show: (frame: number) => void, add: (box: import("./types.d.ts").Box) => void }} page
 */
export function buildPeople(link, page) {
  const list = h("ul", { class: "dkd-people-list" });
  const hint = h("p", {}, "Drag a box around the person, head and feet included, in any frame of the range.");
  const found = h("p", { class: "dkd-found", role: "status" });
  const problem = h("div", { class: "dkd-note dkd-error", role: "alert", hidden: true });
  const button = (/** @type {string} */ text, /** @type {() => void} */ onclick, kind = "") =>
    h("button", { class: `dkd-button ${kind}`, onclick }, text);
  const track = button("Track", () => link.send({ type: "track", place: "track" }), "dkd-primary dkd-track");
  const stop = button("Stop", () => link.send({ type: "stop" }));
  const find = button("Find people in this frame", () =>
    link.send({ type: "find", frame: page.frame(), place: "find" }),
  );
  const add = button("Add a box", () => link.clip && page.add(middle(link.clip.size)));
  const again = h("input", { type: "checkbox" });
  again.addEventListener("change", () => link.send({ type: "reinitialise", on: again.checked }));
  const refined = h("input", { type: "checkbox" });
  refined.addEventListener("change", () => link.send({ type: "refine", on: refined.checked }));
  const refinedTitle = "The initializer looks at every frame too, which takes longer; not in the paper";
  const element = h(
    "section",
    { class: "dkd-who", "aria-label": "People to track", tabindex: -1 },
    h("h3", {}, "Who is to be tracked?"),
    hint,
    found,
    list,
    h("div", { class: "dkd-row" }, find, add),
    h("span", { class: "dkd-space" }),
    problem,
    h("label", { class: "dkd-check" }, again, "search again when the track is lost"),
    h("label", { class: "dkd-check", title: refinedTitle }, refined, REFINED),
    h("div", { class: "dkd-row dkd-track-row" }, track, stop),
  );
  /** @type {Map<number, ReturnType<typeof buildPerson>>} */
  const rows = new Map();
  /** @type {State} */
  let now;
  const paint = () => {
    found.textContent = foundText(now, page.frame());
    find.hidden = now.proposed_in === page.frame() && !now.finding;
  };
  return {
    element,
    paint,
    /**
     * @param {State} state
     * @param {Clip | null} clip
     * @param {boolean} isOther
     */
    update(state, clip, isOther) {
      now = state;
      if (!clip) return;
      // Most people look at the first frame first, so the proposals are there when they do.
      if (isOther && !state.people.length && state.proposed_in === null) {
        link.send({ type: "find", frame: state.range[0], place: "find" });
      }
      for (const [key, row] of rows) {
        if (state.people.some((person) => person.key === key)) continue;
        row.element.remove();
        rows.delete(key);
      }
      for (const person of state.people) {
        let row = rows.get(person.key);
        if (!row) {
          row = buildPerson(link, page.show);
          rows.set(person.key, row);
          list.append(row.element);
        }
        row.update(person, state.tracking);
      }
      const isFree = !state.tracking;
      track.textContent = trackLabel(state);
      track.disabled = !isFree || !state.people.some((person) => person.state !== "done");
      stop.hidden = isFree;
      find.disabled = add.disabled = !isFree;
      again.checked = state.reinitialise;
      refined.checked = state.refine;
      again.disabled = refined.disabled = !isFree;
      hint.hidden = state.people.length > 1;
      problem.textContent = ["who", "find", "track"]
        .map((name) => state.problems[name] ?? "")
        .join(" ")
        .trim();
      problem.hidden = !problem.textContent;
      paint();
    },
  };
}

/**
 * A row of the list.
 * @param {Link} link
 * @param {(frame: number) => void} show
 */
function buildPerson(link, show) {
  /** @type {Person} */
  let now;
  let begun = 0;
  const send = (/** @type {object} */ change) => link.send({ type: "change", key: now.key, place: "who", ...change });
  const colour = h("input", { type: "color", class: "dkd-person-colour" });
  colour.addEventListener("change", () => send({ colour: colour.value }));
  const name = h("input", { type: "text", class: "dkd-person-name", spellcheck: "false" });
  name.addEventListener("change", () => send({ name: name.value }));
  name.addEventListener("keydown", (event) => event.key === "Enter" && name.blur());
  const frame = h("button", { class: "dkd-text", onclick: () => show(now.frame) });
  const remove = h(
    "button",
    { class: "dkd-icon dkd-person-remove", onclick: () => link.send({ type: "remove", key: now.key, place: "who" }) },
    "×",
  );
  const bar = h("progress", { class: "dkd-progress", hidden: true });
  const text = h("div", { class: "dkd-person-text" });
  const element = h(
    "li",
    { class: "dkd-person" },
    h("div", { class: "dkd-person-row" }, colour, name, frame, remove),
    bar,
    text,
  );
  return {
    element,
    /**
     * @param {Person} person
     * @param {boolean} isTracking
     */
    update(person, isTracking) {
      if (person.state === "tracking" && !person.done) begun = performance.now();
      now = person;
      element.dataset.state = person.state;
      element.dataset.verdict = person.verdict;
      if (!name.matches(":focus")) name.value = person.name;
      colour.value = person.colour;
      name.setAttribute("aria-label", `Name of ${person.name}`);
      colour.setAttribute("aria-label", `Colour of ${person.name}`);
      frame.textContent = `frame ${person.frame}`;
      frame.setAttribute("aria-label", `Show frame ${person.frame}, which has the box of ${person.name}`);
      remove.setAttribute("aria-label", `Remove ${person.name}`);
      remove.title = `Remove ${person.name}`;
      remove.disabled = name.disabled = isTracking;
      bar.hidden = person.state !== "tracking";
      bar.max = person.of || 1;
      bar.value = person.done;
      bar.setAttribute("aria-label", `Frames of ${person.name} that are tracked`);
      const seconds = (performance.now() - begun) / 1000;
      text.textContent = progressText(person, begun && seconds > 1 ? person.done / seconds : 0);
    },
  };
}
