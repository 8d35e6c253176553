// The comparison of sessions: cells fill in as they are measured. When the run is over the page is asked again, for
// what only a whole run has.
import { shape } from "./rows.js";
import { setText } from "./text.js";

/** Shows how far the run is; `null` when there is none any more. */
export function measured(progress) {
  const place = document.querySelector("[data-trial]");
  if (!place) return;
  if (progress === null) {
    location.reload();
    return;
  }
  setText(place.querySelector("[data-trial-doing]"), progress.doing);
  setText(place.querySelector("[data-trial-done]"), String(progress.done));
  place.querySelector("[data-trial-bar]").value = progress.done;
  for (const row of progress.cells) fill(place.querySelector(`[data-cell="${CSS.escape(row.key)}"]`), row);
}

function fill(cell, row) {
  const light = cell?.querySelector("[data-light]");
  if (!light) return;
  light.dataset.st = row.st;
  shape(light.querySelector("[data-shape]"), row.icon);
  for (const part of light.querySelectorAll("[data-c]")) setText(part, row[part.dataset.c]);
}
