// A failover drill: figures change as they are counted. When it is over the page is asked again, for the report; and
// when one begins elsewhere, for its place.
import { setText } from "./text.js";

/** Shows how far the drill is; `null` when there is none any more. */
export function drilled(progress) {
  const place = document.querySelector("[data-drill]");
  if (!place) return;
  const shown = place.querySelector("[data-drill-now]");
  if ((progress === null) !== (shown === null)) {
    // Not under the hands of somebody who types.
    if (progress === null || !place.contains(document.activeElement)) location.reload();
    return;
  }
  if (progress === null) return;
  setText(shown.querySelector("[data-drill-doing]"), progress.doing);
  shown.querySelector("progress").value = progress.done;
  const figures = shown.querySelector("dl");
  const same = figures.querySelectorAll("dd").length === progress.findings.length;
  if (!same) figures.replaceChildren(...progress.findings.flatMap(pair));
  for (const finding of progress.findings) {
    setText(figures.querySelector(`[data-finding="${CSS.escape(finding.key)}"]`), finding.says);
  }
}

function pair({ key, name }) {
  const [what, says] = ["dt", "dd"].map((tag) => document.createElement(tag));
  what.textContent = name;
  says.dataset.finding = key;
  return [what, says];
}
