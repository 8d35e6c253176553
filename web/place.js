// Another language or theme shows the same page again, and its reader where they were.
const KEY = "cordee-place";

const here = () => location.pathname + location.search;

/** Notes the place when one of them is chosen, and goes back there on the page that follows. */
export function stay() {
  document.addEventListener("submit", (e) => {
    if (e.target.matches("[action='/lang'], [action='/theme']")) note();
  });
  comeBack();
}

function note() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ page: here(), top: scrollY }));
  } catch {
    // Then the page begins at its top, as without script.
  }
}

function comeBack() {
  try {
    const noted = JSON.parse(sessionStorage.getItem(KEY));
    sessionStorage.removeItem(KEY);
    if (noted?.page === here()) scrollTo({ top: noted.top, behavior: "instant" });
  } catch {
    // Nothing was noted.
  }
}
