// The boxes over the picture: people's, which can be moved and resized, and proposals, which can be clicked.

import { h } from "../core/dom.js";
import { afterKey, between, boxText, dragged, overlap } from "./box.js";
import { buildPerson, buildProposal } from "./box_elements.js";
import { listenForBoxes } from "./drags.js";

/** @import { Box, Clip, Person, State } from "./types.d.ts" */
/** @import { Point } from "./box.js" */
/** @import { Held } from "./drags.js" */
/** @import { Link } from "./link.js" */

const SAME = 0.5; // a proposal that overlaps a person's box by this much is that person

export class Boxes {
  element = h("div", { class: "dkd-picture-boxes", role: "group", "aria-label": "Boxes of the people in this frame" });
  drawn = h("div", { class: "dkd-picture-box dkd-picture-box-drawn", hidden: true });
  /** @type {State | null} */
  state = null;
  /** @type {Point} */
  size = [1, 1];
  /** @type {{ key: number, box: Box } | null} */
  held = null; // the box that is being moved, before Python knows of it
  proposed = ""; // the proposals that are shown
  isAdding = false; // the next person that comes was added here, and gets the focus

  /**
   * @param {Link} link
   * @param {() => number} frame the frame that is shown
   */
  constructor(link, frame) {
    this.link = link;
    this.frame = frame;
    listenForBoxes(this.element, link.signal, {
      size: () => this.size,
      begin: (target) => this.begin(target),
      move: (held, from, to) => this.move(held, from, to),
      end: (held, from, to) => this.end(held, from, to),
    });
  }

  /**
   * @param {State} state
   * @param {Clip} clip
   */
  update(state, clip) {
    this.state = state;
    this.size = clip.size;
    const { held } = this;
    const known = held && state.people.find(({ key }) => key === held.key)?.box;
    if (held && (!known || String(known) === String(held.box))) this.held = null;
    this.paint();
  }

  /** @param {Box} box */
  add(box) {
    this.isAdding = true;
    this.link.send({ type: "add", box, frame: this.frame(), place: "who" });
  }

  /**
   * @param {number} key
   * @param {Box} box
   */
  change(key, box) {
    this.link.send({ type: "change", key, box, frame: this.frame(), place: "who" });
  }

  /**
   * The box of a person as it is shown.
   * @param {Person} person
   */
  boxOf(person) {
    return /** @type {Box} */ (this.held?.key === person.key ? this.held.box : person.box);
  }

  paint() {
    const { state, element } = this;
    if (!state) return;
    const here = state.people.filter((person) => person.box && person.frame === this.frame());
    const free = (state.proposed_in === this.frame() ? state.proposals : []).filter(
      ({ box }) => !here.some((person) => overlap(this.boxOf(person), box) > SAME),
    );
    // What stays is not taken out: it would lose the focus.
    const people = here.map((person) => this.paintPerson(person));
    for (const old of element.querySelectorAll(".dkd-picture-box-person"))
      if (!people.some((one) => one === old)) old.remove();
    const proposed = JSON.stringify(free);
    if (proposed !== this.proposed) {
      this.proposed = proposed;
      for (const old of element.querySelectorAll(".dkd-picture-box-proposal")) old.remove();
      const buttons = free.map(({ box, confidence }, i) => {
        const button = buildProposal(`${i + 1} of ${free.length}`, confidence, () => this.add(box));
        this.place(button, box);
        return button;
      });
      element.prepend(...buttons);
    }
    for (const one of people) {
      if (one.parentElement === element) continue;
      element.append(one);
      if (this.isAdding) one.focus({ preventScroll: true });
      this.isAdding = false;
    }
    element.append(this.drawn);
  }

  /** @param {Person} person */
  paintPerson(person) {
    const known = this.element.querySelector(`.dkd-picture-box-person[data-key="${person.key}"]`);
    const element = /** @type {HTMLElement} */ (
      known ?? buildPerson(person.key, (event) => this.onKey(person.key, event))
    );
    const box = this.boxOf(person);
    element.style.setProperty("--dkd-person", person.colour);
    const keys = "Arrow keys move it, Shift and arrow keys resize it, Delete removes it.";
    element.setAttribute("aria-label", `Box of ${person.name}: ${boxText(box)}. ${keys}`);
    /** @type {HTMLElement} */ (element.firstElementChild).textContent = person.name;
    element.classList.toggle("dkd-picture-box-high", box[1] < this.size[1] / 15); // no room for the name above it
    this.place(element, box);
    return element;
  }

  /**
   * @param {HTMLElement} element
   * @param {Box} box
   */
  place(element, [x0, y0, x1, y1]) {
    const percent = (/** @type {number} */ value, /** @type {0 | 1} */ axis) => `${(100 * value) / this.size[axis]}%`;
    Object.assign(element.style, {
      left: percent(x0, 0),
      top: percent(y0, 1),
      width: percent(x1 - x0, 0),
      height: percent(y1 - y0, 1),
    });
  }

  /**
   * @param {number} key
   * @param {KeyboardEvent} event
   */
  onKey(key, event) {
    const person = this.state?.people.find((one) => one.key === key);
    const next = person && afterKey(this.boxOf(person), event, this.size);
    if (next) {
      this.held = { key, box: next };
      this.paint();
      this.change(key, next);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.link.send({ type: "remove", key, place: "who" });
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * @param {Element} target
   * @returns {Held | null}
   */
  begin(target) {
    if (!this.state || this.state.tracking) return null;
    const owner = /** @type {HTMLElement | null} */ (target.closest(".dkd-picture-box-person"));
    const person = owner && this.state.people.find(({ key }) => String(key) === owner.dataset.key);
    const grip = /** @type {Held["grip"]} */ (target.getAttribute("data-grip") ?? "move");
    return person ? { key: person.key, box: this.boxOf(person), grip } : { key: 0, box: null, grip };
  }

  /** @type {(held: Held, from: Point, to: Point) => void} */
  move({ key, box, grip }, from, to) {
    if (!box) {
      this.place(this.drawn, between(from, to, this.size));
      this.drawn.hidden = false;
      return;
    }
    this.held = { key, box: dragged(box, grip, to[0] - from[0], to[1] - from[1], this.size) };
    this.paint();
  }

  /** @type {(held: Held, from: Point, to: Point) => void} */
  end({ key, box }, from, to) {
    this.drawn.hidden = true;
    if (box && this.held) return this.change(key, this.held.box);
    if (!box) this.add(between(from, to, this.size)); // one that is too small is refused, with words
  }
}
