// Forms are sent to the addresses they have anyway; the answer is shown in place.
import { giveFocus } from "./focus.js";
import { copy, shape } from "./rows.js";
import { pointed } from "./steady.js";
import { setText, signIn, word } from "./text.js";

const UNDO_MS = 10_000;
/** What had the focus before it went to a message. */
let before = null;

/** Takes over every form and link that says so. */
export function listen() {
  document.addEventListener("submit", (e) => {
    if (e.target.matches("[data-send]")) {
      e.preventDefault();
      send(e.target);
    }
  });
  document.addEventListener("click", (e) => {
    const opener = e.target.closest("[data-open], [data-ask]");
    const shut = e.target.closest("[data-shut]");
    if (opener && plain(e)) openFrom(e, opener);
    shut?.closest("dialog")?.close();
    putAway(shut?.closest(".toast"));
  });
  document.getElementById("toasts")?.addEventListener("focusin", (e) => {
    if (!e.currentTarget.contains(e.relatedTarget)) before = e.relatedTarget;
  });
}

/** Takes a message away. The focus in it goes back to where it came from. */
function putAway(box) {
  if (!box) return;
  const had = box.contains(document.activeElement);
  box.remove();
  if (had) giveFocus([before], before?.closest(".panel"));
}

/** A click that asks for a new tab keeps its meaning. */
const plain = (e) => e.button === 0 && !e.ctrlKey && !e.metaKey && !e.shiftKey;

function openFrom(e, opener) {
  const dialog = opener.dataset.open && document.getElementById(opener.dataset.open);
  if (opener.dataset.open && !dialog) return;
  e.preventDefault();
  if (dialog) show(fresh(dialog));
  // What is chosen already is no question.
  else if (opener.ariaCurrent !== "true") ask(opener);
}

function show(dialog) {
  dialog.showModal();
  if (dialog.dataset.plan) plan(dialog);
}

/** Asks what would happen: anew each time, because it depends on the moment. */
async function plan(dialog) {
  turn(dialog, "wait");
  try {
    const answer = await call(dialog.dataset.plan, {});
    const found = answer.ok ? await answer.json() : null;
    if (found) foretell(dialog, found);
    else {
      dialog.close();
      await fail(answer, null);
    }
  } catch {
    dialog.close();
    toast(word("unasked"));
  }
}

function foretell(dialog, found) {
  const name = dialog.querySelector("[name=name]");
  name.placeholder = found.name;
  dialog.querySelector("[data-plan-facts]").replaceChildren(...facts(found.facts));
  dialog.querySelector("[data-plan-steps]").replaceChildren(...found.steps.map((step) => cell("li", step)));
  dialog.querySelector("[data-plan-reasons]").replaceChildren(...found.reasons.map((why) => cell("li", why)));
  turn(dialog, found.reasons.length > 0 ? "refused" : "ready");
  if (found.reasons.length === 0) name.focus();
}

/** Shows one part of a dialog in place of the others. */
function turn(dialog, name) {
  for (const part of dialog.querySelectorAll("[data-part]")) part.hidden = part.dataset.part !== name;
}

function fresh(dialog) {
  const form = dialog.querySelector("form");
  form.reset();
  form.querySelector("[data-own]")?.remove();
  clearErrors(form);
  return dialog;
}

/** Asks the server what the question is, then asks the person. */
async function ask(opener) {
  if (opener.ariaBusy === "true") return;
  opener.ariaBusy = "true";
  try {
    const answer = await call(opener.href ?? opener.action, {});
    const question = answer.ok ? await answer.json() : null;
    closeMenu(opener);
    if (question) pose(question, opener.closest(".panel"));
    else await fail(answer, null);
  } catch {
    toast(word("unasked"));
  } finally {
    opener.ariaBusy = null;
  }
}

/** Asks. Where the opener went meanwhile, its section gets the focus back. */
function pose(question, panel) {
  const dialog = copy("t-ask");
  const form = dialog.querySelector("form");
  form.action = question.action;
  setText(dialog.querySelector("h2"), question.title);
  for (const part of dialog.querySelectorAll("[data-q]")) setText(part, question[part.dataset.q] ?? "");
  shape(dialog.querySelector("[type=submit] use"), question.icon);
  dialog.querySelector("[type=submit]").classList.toggle("danger", question.danger);
  dialog.querySelector("dl").append(...facts(question.facts));
  const typed = dialog.querySelector("[data-type]");
  if (!question.know) typed.querySelector("[data-know]").remove();
  if (question.type_name) typed.hidden = false;
  else typed.remove();
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (document.activeElement === document.body) giveFocus([], panel);
  });
  document.body.append(dialog);
  dialog.showModal();
}

const facts = (all) => all.flatMap(([what, says]) => [cell("dt", what), cell("dd", says)]);

function cell(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}

const call = (url, options) =>
  fetch(url, { ...options, redirect: "manual", headers: { Accept: "application/json" } });

/** Sends a form once, however often it is clicked. */
async function send(form) {
  if (form.ariaBusy === "true") return;
  form.ariaBusy = "true";
  clearErrors(form);
  try {
    const answer = await call(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (answer.ok) accepted(form, await answer.json());
    else await fail(answer, form);
  } catch {
    toast(word("failed"));
  } finally {
    form.ariaBusy = null;
  }
}

function accepted(form, done) {
  closeMenu(form);
  form.closest("dialog")?.close();
  form.querySelector("[data-own]")?.remove();
  const undone = form.closest(".toast");
  putAway(undone);
  toast(done.message, undone ? null : done.undo);
}

/** Puts each refusal at its field; what belongs to no field is said aloud. */
async function fail(answer, form) {
  if (answer.type === "opaqueredirect") {
    signIn();
    return;
  }
  const problem = await answer.json();
  // What was done at once may be asked about by now: it would leave nobody who serves.
  if (form && !form.elements.confirm && problem.errors.some((error) => error.field === "confirm")) {
    form.ariaBusy = null;
    await ask(form);
    form.closest("dialog")?.close();
    return;
  }
  const own = problem.errors.find((error) => error.field === "own_password");
  if (form && own && !form.elements.own_password) {
    password(form, own.detail);
    return;
  }
  const rest = problem.errors.filter((error) => !(form && atField(form, error)));
  form?.querySelector("[aria-invalid=true]")?.focus();
  if (rest.length > 0 || problem.errors.length === 0) toast(rest[0]?.detail ?? problem.detail);
}

/** Asks for the password, once: in the dialog that is open, or in one of its own with what the form would have sent. */
function password(form, why) {
  document.querySelector("[data-own]")?.remove();
  const field = copy("t-own");
  setText(field.querySelector("small"), why);
  if (form.closest("dialog")) {
    form.querySelector(".ends").before(field);
  } else {
    const dialog = copy("t-prove");
    const inside = dialog.querySelector("form");
    inside.action = form.action;
    for (const [name, value] of new FormData(form)) inside.append(hidden(name, value));
    inside.querySelector(".ends").before(field);
    closeMenu(form);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }
  field.querySelector("input").focus();
}

function hidden(name, value) {
  const input = document.createElement("input");
  input.type = "hidden";
  input.name = name;
  input.value = value;
  return input;
}

function atField(form, error) {
  const input = error.field && form.elements.namedItem(error.field);
  const field = input?.closest?.(".field");
  if (!field) return false;
  const text = copy("t-err");
  text.id = `${input.id}-e`;
  setText(text.querySelector("span"), error.detail);
  (input.closest("label") ?? input).after(text);
  input.setAttribute("aria-invalid", "true");
  const help = input.getAttribute("aria-describedby");
  input.setAttribute("aria-describedby", help ? `${text.id} ${help}` : text.id);
  return true;
}

function clearErrors(form) {
  for (const text of form.querySelectorAll(".err")) {
    const input = form.querySelector(`[aria-describedby~="${text.id}"]`);
    const help = input?.getAttribute("aria-describedby").split(" ").filter((id) => id !== text.id).join(" ");
    if (help) input.setAttribute("aria-describedby", help);
    else input?.removeAttribute("aria-describedby");
    text.remove();
  }
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
}

function closeMenu(element) {
  element.closest("[popover]")?.hidePopover();
}

/** Says what was done, and offers the way back for ten seconds. */
function toast(message, undo) {
  const box = copy("t-toast");
  setText(box.querySelector("span"), message);
  const form = box.querySelector("form");
  if (undo) {
    form.action = undo.action;
    form.hidden = false;
    setText(form.querySelector("button span"), undo.label);
  } else {
    form.remove();
  }
  putAway(document.querySelector("#toasts .toast"));
  document.getElementById("toasts").append(box);
  const timer = setInterval(() => {
    // It stays while somebody is about to use it.
    if (pointed(box) || box.matches(":focus-within")) return;
    clearInterval(timer);
    box.remove();
  }, UNDO_MS);
}
