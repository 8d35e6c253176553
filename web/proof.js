// Cookies go to every port of a host; what is stored here does not. So each form carries a secret that this page made and
// that the session learned together with the password: whoever has the cookie alone changes nothing.
const KEY = "cordee-proof";

/** What is kept when the browser lets nothing be stored: for as long as this page is shown. */
let kept = null;

/** Puts the secret into each form that is sent, before anybody else looks at it. */
export function prove() {
  document.addEventListener("submit", (e) => {
    if (e.target.method === "post") fill(e.target);
  }, true);
}

function fill(form) {
  const to = new URL(form.getAttribute("action") ?? location.href, location.href).pathname;
  if (to === "/logout") {
    store(null);
    return;
  }
  let field = form.querySelector("input[name=proof]");
  if (!field) {
    field = document.createElement("input");
    field.type = "hidden";
    field.name = "proof";
    form.append(field);
  }
  // One that a session knows is never thrown away before it ends: what is typed may be wrong.
  field.value = read() ?? make();
}

function make() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const secret = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  store(secret);
  return secret;
}

function read() {
  try {
    return localStorage.getItem(KEY) ?? kept;
  } catch {
    return kept;
  }
}

function store(secret) {
  kept = secret;
  try {
    if (secret) localStorage.setItem(KEY, secret);
    else localStorage.removeItem(KEY);
  } catch {
    // Then it is asked for again on the next page.
  }
}
