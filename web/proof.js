// Cookies go to every port of a host; what is stored here does not. So each form carries a secret that this page made
// and that the session learned together with the password: whoever has the cookie alone changes nothing.
import { copy } from "./cells.js";
import { setText } from "./text.js";

const PROOF = { field: "proof", key: "cordee-proof" };
/** By another one a browser is known at the sign-in: others who guess do not keep its person out. It opens nothing. */
const MARK = { field: "browser", key: "cordee-browser" };
const DOORS = ["/login", "/setup", "/account/password"];

/** What is kept when the browser lets nothing be stored: for as long as this page is shown. */
const kept = new Map();

/** Puts the secrets into each form that is sent, before anybody else looks at it. */
export function prove() {
  document.addEventListener("submit", (e) => {
    if (e.target.method === "post") fill(e.target);
  }, true);
  if (!read(PROOF)) ask();
}

function fill(form) {
  const to = new URL(form.getAttribute("action") ?? location.href, location.href).pathname;
  if (to === "/logout") {
    // By what the browser is known stays: it is for the next sign-in.
    store(PROOF, null);
    return;
  }
  put(form, PROOF);
  if (DOORS.includes(to)) put(form, MARK);
}

function put(form, secret) {
  let input = form.querySelector(`input[name=${secret.field}]`);
  if (!input) {
    input = document.createElement("input");
    input.type = "hidden";
    input.name = secret.field;
    form.append(input);
  }
  // One that a session knows is never thrown away before it ends: what is typed may be wrong.
  input.value = read(secret) ?? make(secret);
}

/** Nothing is kept, and no session knows what is made now: the forms of this page have a field for the password. */
function ask() {
  for (const place of document.querySelectorAll("[data-unkept]")) {
    const field = copy("t-own");
    delete field.dataset.own;
    const [label, input, says] = ["label", "input", "small"].map((name) => field.querySelector(name));
    label.htmlFor = input.id = "unkept";
    says.id = "unkept-h";
    input.setAttribute("aria-describedby", says.id);
    setText(says, place.dataset.unkept);
    place.before(field);
  }
}

function make(secret) {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const made = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  store(secret, made);
  return made;
}

function read({ key }) {
  try {
    return localStorage.getItem(key) ?? kept.get(key);
  } catch {
    return kept.get(key);
  }
}

function store({ key }, made) {
  if (made) kept.set(key, made);
  else kept.delete(key);
  try {
    if (made) localStorage.setItem(key, made);
    else localStorage.removeItem(key);
  } catch {
    // Then it is asked for again on the next page.
  }
}
