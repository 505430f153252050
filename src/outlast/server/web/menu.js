/** Menus: a button, and what it opens below itself. The browser closes it on Escape and on a click elsewhere. */

import { h, replace } from "./dom.js";
import { icon } from "./icons.js";

const MARGIN_PX = 8;
let ids = 0;

/**
 * @param {string} label of the button
 * @param {(close: () => void) => any} build what it opens, made anew each time
 * @param {{tag?: string, name?: string}} [options] `name` is what it is called for those who cannot see it
 */
export function menu(label, build, { tag = "button", name = label } = {}) {
  const panel = h("div.menu", { popover: "auto", id: `menu-${(ids += 1)}`, role: "group", "aria-label": name });
  const button = h(tag, { type: "button", popovertarget: panel.id, "aria-expanded": "false" }, label, icon("open"));
  panel.addEventListener("beforetoggle", (event) => event.newState === "open" && replace(panel, build(() => panel.hidePopover())));
  panel.addEventListener("toggle", (event) => {
    button.setAttribute("aria-expanded", String(event.newState === "open"));
    if (event.newState === "open") place(panel, button);
  });
  return h("span.menu-place", {}, button, panel);
}

/** Below the button, within the window. */
function place(panel, button) {
  const at = button.getBoundingClientRect();
  const left = Math.min(at.left, innerWidth - panel.offsetWidth - MARGIN_PX);
  panel.style.left = `${Math.max(MARGIN_PX, left)}px`;
  panel.style.top = `${at.bottom + 4}px`;
  panel.style.maxHeight = `${Math.max(160, innerHeight - at.bottom - 4 - MARGIN_PX)}px`;
}

/** A line of a menu that does something. */
export function menuItem(label, act, attributes = {}) {
  return h("button.quiet.menu-item", { type: "button", onclick: act, ...attributes }, label);
}
