/** A place on a page that shows what the server says, again and again, and an error in its stead. */

import { replace } from "./dom.js";
import { refresh } from "./refresh.js";
import { failed } from "./states.js";

/**
 * Keep a place up to date. What the user marks or points at with the keyboard is left alone or found again.
 *
 * @param {HTMLElement} place
 * @param {() => Promise<any>} ask answers children for the place, or null to leave it as it is
 * @param {number} every_ms
 * @param {AbortSignal} signal
 * @returns {() => void} asks at once
 */
export function live(place, ask, every_ms, signal) {
  let shown = false;
  const again = refresh(load, every_ms, signal);
  async function load() {
    try {
      const children = await ask();
      if (signal.aborted || children === null || (shown && selected(place))) return;
      put(place, children);
      shown = true;
    } catch (error) {
      if (signal.aborted || (error.unanswered && shown)) return;
      shown = false;
      replace(place, failed(error, again));
    }
  }
  return again;
}

function selected(place) {
  const selection = getSelection();
  return !selection.isCollapsed && place.contains(selection.anchorNode);
}

function put(place, children) {
  const focused = place.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  const opened = new Set([...place.querySelectorAll("details[open]")].map((each) => each.querySelector("summary").textContent));
  replace(place, children);
  for (const each of place.querySelectorAll("details")) each.open = opened.has(each.querySelector("summary").textContent);
  if (focused) [...place.querySelectorAll("a, button, [tabindex]")].find((each) => nameOf(each) === focused)?.focus({ preventScroll: true });
}

function nameOf(element) {
  return element.getAttribute("href") ?? element.dataset.key ?? element.getAttribute("aria-label") ?? element.textContent;
}
