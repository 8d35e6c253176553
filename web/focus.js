// The focus is never lost: where what has it goes, something near that does nothing by itself gets it.

const alive = (element) => element && element !== document.body && element.isConnected && element.checkVisibility();

/**
 * Changes the page. What has the focus keeps it, also where it was moved, which takes the focus off it; where its row
 * goes, the name in the row beside it gets the focus; else its section.
 */
export function keepFocus(change) {
  const at = document.activeElement;
  const [row, panel] = [at?.closest("tr"), at?.closest(".panel")];
  const beside = [row?.nextElementSibling, row?.previousElementSibling].map((other) => other?.querySelector("th a"));
  change();
  if (at && at !== document.body && !alive(document.activeElement)) giveFocus([at, ...beside], panel);
}

/** Gives it to the first of these that is there, or to the page as a whole. */
export function giveFocus(names, section) {
  const name = names.find(alive);
  if (name) {
    name.focus();
    return;
  }
  const place = alive(section) ? section : document.getElementById("main");
  place.tabIndex = -1;
  place.focus();
}
