// Sentences that name what has a page: the server sends them in pieces, words as text and names as objects, and so they
// come into the page. Nothing here reads a sentence, and nothing becomes markup.
import { server } from "./table.js";

/** A sentence without its links. */
export const plain = (said) => (typeof said === "string" ? said : said.map((piece) => piece.says ?? piece).join(""));

/** Writes a sentence. What stands there already stays the same element. */
export function say(element, said) {
  const pieces = (typeof said === "string" ? [said] : said).filter((piece) => piece !== "");
  pieces.forEach((piece, i) => {
    const here = element.childNodes[i];
    if (fits(here, piece)) return;
    if (typeof piece === "string" && here?.nodeType === Node.TEXT_NODE) here.data = piece;
    else element.insertBefore(node(piece), here ?? null);
  });
  while (element.childNodes.length > pieces.length) element.lastChild.remove();
}

/** A sentence as it stands in the page. */
export const said = (element) =>
  [...element.childNodes].map((node) => (node.localName === "a" ? name(node) : node.data));

function name(link) {
  const [server, to] = [link.dataset.server, link.getAttribute("href")];
  return { says: link.textContent, ...(server && { server }), ...(to && { to }) };
}

function fits(here, piece) {
  if (typeof piece === "string") return here?.nodeType === Node.TEXT_NODE && here.data === piece;
  if (here?.localName !== "a" || here.textContent !== piece.says) return false;
  return piece.server ? here.dataset.server === piece.server : here.getAttribute("href") === (piece.to ?? null);
}

function node(piece) {
  if (typeof piece === "string") return document.createTextNode(piece);
  const link = document.createElement("a");
  if (piece.server) link.dataset.server = piece.server;
  if (piece.to) link.setAttribute("href", piece.to);
  link.textContent = piece.says;
  return link;
}

/** The names of servers lead to their pages as long as these are there. One that has the focus keeps it. */
export function lead() {
  for (const link of document.querySelectorAll("a[data-server]")) {
    const row = server(link.dataset.server);
    if (row === undefined || (row === null && link === document.activeElement)) continue;
    const page = row && `/pools/${row.pool}/servers/${row.name}`;
    if (link.getAttribute("href") === page) continue;
    if (page) link.setAttribute("href", page);
    else link.removeAttribute("href");
  }
}
