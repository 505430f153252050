/** The states of namespaces, and how they look. */

import { h } from "../dom.js";
import { words } from "../format.js";

/** A chip with the state; only a registered namespace lets workflows start. */
export function stateChip({ state }) {
  const good = state === "NAMESPACE_STATE_REGISTERED";
  return h(`span.chip.${good ? "is-completed" : "is-terminated"}`, {}, words(state, "NAMESPACE_STATE_"));
}
