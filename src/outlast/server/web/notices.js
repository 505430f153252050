/** Short messages in the corner; those of errors stay until they are closed. */

import { h } from "./dom.js";
import { icon } from "./icons.js";

const SHOWN_MS = 6000;

/** Say that something was done. */
export function notice(text) {
  const node = show("notice", text);
  setTimeout(() => node.remove(), SHOWN_MS);
}

/** Say that something failed. */
export function complain(text) {
  show("notice.bad", text);
}

function show(tag, text) {
  const node = h(`div.${tag}`, {}, h("span", {}, text), h("button.quiet.icon", { type: "button", "aria-label": "Close the message", onclick: () => node.remove() }, icon("close")));
  document.getElementById("notices").append(node);
  return node;
}
