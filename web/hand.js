// What is under a hand stays: it neither goes nor turns into something else before pointer, focus and menu have left.
import { TAP_MS, pointed, steady } from "./steady.js";

/** What waits for a hand to leave, by the element that it is on. */
const waiting = new Map();

/** Whether somebody points at it, is in it with the keys, or has a menu of it open. A click leaves no hand behind. */
export const held = (element) =>
  pointed(element) ||
  element.matches(":focus-visible") ||
  element.querySelector(":focus-visible, :popover-open") !== null;

/** Does it now, or as soon as nobody is at the element any more, in place of what waited for that before. */
export function whenLeft(element, act) {
  if (held(element)) {
    if (waiting.size === 0) watch();
    waiting.set(element, act);
  } else {
    waiting.delete(element);
    act();
  }
}

/** What waited for the hand to leave an element does not happen: it stays after all. */
export const stays = (element) => waiting.delete(element);

let watched = false;

function watch() {
  if (watched) return;
  watched = true;
  // Hover and focus are what they are to be once the browser has drawn.
  const soon = () => waiting.size > 0 && requestAnimationFrame(left);
  for (const name of ["pointerover", "focusin", "focusout", "toggle"]) {
    document.addEventListener(name, soon, { passive: true, capture: true });
  }
  for (const name of ["pointerup", "pointercancel"]) {
    document.addEventListener(name, () => setTimeout(soon, TAP_MS), { passive: true, capture: true });
  }
  document.documentElement.addEventListener("pointerleave", soon);
}

function left() {
  const free = [...waiting].filter(([element]) => !element.isConnected || !held(element));
  if (free.length === 0) return;
  for (const [element] of free) waiting.delete(element);
  steady(() => {
    for (const [element, act] of free) if (element.isConnected) act();
  });
}
