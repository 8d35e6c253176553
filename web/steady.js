// What somebody is about to press stays where it is, however much the page grows or shrinks above it: the page is
// scrolled by as much, and where it cannot be scrolled any further, empty room is left until hand or focus have gone
// elsewhere.

import { keepFocus } from "./focus.js";

/** So long after a finger was lifted, what it touched is under it: the press arrives a moment later. */
export const TAP_MS = 400;

let pointer = null;
let keys = false;
/** What a finger is on, or was until then, where a finger was used last. */
let touched = null;
let until = Infinity;
/** Pixels of empty room: above what stays, and at the foot of the page. */
const room = { above: 0, below: 0 };

/** Notes where the pointer is, and whether keys or pointer were used last. */
export function watchHands() {
  const note = (e) => {
    pointer = { x: e.clientX, y: e.clientY };
    if (e.type !== "pointerover") keys = false;
    touched = e.pointerType === "touch" ? e.target : null;
    until = Infinity;
  };
  const lift = (e) => {
    until = performance.now() + TAP_MS;
    // A finger is nowhere before it presses again.
    if (e.pointerType === "touch") pointer = null;
  };
  for (const name of ["pointermove", "pointerdown", "pointerover"]) {
    document.addEventListener(name, note, { passive: true, capture: true });
  }
  for (const name of ["pointerup", "pointercancel"]) {
    document.addEventListener(name, lift, { passive: true, capture: true });
  }
  document.documentElement.addEventListener("pointerleave", () => (pointer = null));
  document.addEventListener("keydown", () => (keys = true), { capture: true });
  document.addEventListener("scroll", () => outOfSight() || hideNotice(), { passive: true });
}

/** Whether somebody points at it. Browsers call hovered what a finger tapped last, wherever it is by now. */
export const pointed = (element) =>
  touched ? performance.now() < until && element.contains(touched) : element.matches(":hover");

/**
 * What the reader is at: under the pointer, or with the focus; else what is in the middle of a page that was scrolled.
 */
function held() {
  const main = document.getElementById("main");
  const focus = document.activeElement;
  const typed = keys && main.contains(focus) && focus !== main;
  const at = typed ? focus : pointer && document.elementFromPoint(pointer.x, pointer.y);
  if (at && main.contains(at)) return at;
  return scrollY > 0 ? document.elementFromPoint(innerWidth / 2, innerHeight / 2) : null;
}

/** Changes the page, and keeps in place what the reader is at, and the focus. */
export function steady(change) {
  const at = held();
  if (!at?.closest(".stack")) clearRoom();
  // A menu follows its button, but only once the browser has drawn: its row is measured instead.
  const near = at ? [at.closest("[popover]") ? null : at, at.closest("tr, li"), at.closest(".panel")] : [];
  const before = near.filter(Boolean).map((element) => ({ element, top: element.getBoundingClientRect().top }));
  keepFocus(change);
  const here = before.find(({ element }) => element.isConnected && element.getClientRects().length > 0);
  if (here) back(here);
}

/** Brings an element back to where it was. */
function back({ element, top }) {
  const off = () => element.getBoundingClientRect().top - top;
  const moved = off();
  if (Math.abs(moved) < 0.5) return;
  const stack = element.closest(".stack");
  if (moved > 0 && room.above > 0) makeRoom(stack, "above", -Math.min(moved, room.above));
  scrollBy({ top: off(), behavior: "instant" });
  const rest = off();
  // At its end a page cannot be scrolled: it gets longer.
  if (rest < -0.5) makeRoom(stack, "above", -rest);
  if (rest > 0.5) {
    makeRoom(stack, "below", rest + Math.max(0, innerHeight - document.documentElement.scrollHeight));
    scrollBy({ top: off(), behavior: "instant" });
  }
  tell();
}

function makeRoom(stack, where, more) {
  if (!stack) return;
  room[where] = Math.max(0, room[where] + more);
  stack.style.setProperty(where === "above" ? "margin-top" : "margin-bottom", `${room[where]}px`);
}

function clearRoom() {
  if (room.above + room.below === 0) return;
  room.above = room.below = 0;
  for (const stack of document.querySelectorAll("#main .stack")) {
    for (const side of ["margin-top", "margin-bottom"]) stack.style.removeProperty(side);
  }
}

/** Whether the head of what needs attention is under the bar of the page, or further up. */
function outOfSight() {
  const top = document.getElementById("todo")?.getBoundingClientRect().top;
  return top !== undefined && top < 48;
}

/** What changed out of sight is said, with a way there. */
function tell() {
  const notice = document.getElementById("above");
  if (notice?.hidden && outOfSight()) notice.hidden = false;
}

function hideNotice() {
  const notice = document.getElementById("above");
  if (notice && !notice.hidden) notice.hidden = true;
}
