/** Short messages in the corner; those of errors stay until they are closed. */

import { h } from "./dom.js";
import { icon } from "./icons.js";

const SHOWN_MS = 6000;
const AT_ONCE = 2;

/** Say that something was done; `more` may be a link to what came of it. */
export function notice(text, more = null) {
  const node = show("notice", text, more);
  setTimeout(() => node.remove(), SHOWN_MS);
}

/** Say that something failed. */
export function complain(text) {
  show("notice.bad", text);
}

function show(tag, text, more = null) {
  const node = h(`div.${tag}`, {}, h("span", {}, text, more ? [" ", more] : null), h("button.quiet.icon", { type: "button", "aria-label": "Close the message", onclick: () => node.remove() }, icon("close")));
  const place = document.getElementById("notices");
  place.append(node);
  const good = place.querySelectorAll(".notice:not(.bad)");
  if (good.length > AT_ONCE) good[0].remove();
  return node;
}
