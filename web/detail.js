// A database's own page. Its head follows the stream; what was asked of the database is asked again, by a new page,
// when the stream says that something has turned.

const LEAST_MS = 2_000;

/** Follows the token that the server changes when the page would say something else. */
export function detail() {
  const token = document.querySelector("[data-token]");
  if (!token) return;
  const shown = token.textContent;
  const since = performance.now();
  const look = () => {
    if (token.textContent === shown) return;
    const wait = LEAST_MS - (performance.now() - since);
    if (wait > 0 || taken()) setTimeout(look, Math.max(wait, 500));
    else location.reload();
  };
  new MutationObserver(look).observe(token, { childList: true, characterData: true, subtree: true });
}

/** Somebody is in the middle of something: a question, a menu, a selection, or a frozen page. */
function taken() {
  const open = document.querySelector("dialog[open], :popover-open, [aria-busy=true]");
  const paused = document.getElementById("pause")?.getAttribute("aria-pressed") === "true";
  return document.hidden || paused || Boolean(open) || String(document.getSelection()) !== "";
}
