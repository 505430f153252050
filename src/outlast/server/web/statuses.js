/** The statuses of workflows: their names in lists filters and in JSON, and how they look. */

import { h } from "./dom.js";
import { words } from "./format.js";

const PREFIX = "WORKFLOW_EXECUTION_STATUS_";

/** Names as list filters spell them, in the order in which they are shown. */
export const STATUSES = ["Running", "Paused", "Completed", "Failed", "Canceled", "Terminated", "ContinuedAsNew", "TimedOut"];

/** "WORKFLOW_EXECUTION_STATUS_TIMED_OUT" -> "timed-out", the name of its class; so are "TimedOut" and "Timed out". */
export function statusClass(name) {
  return (name ?? "").replace(PREFIX, "").replace(/([a-z])([A-Z])/g, "$1-$2").replace(/[_ ]/g, "-").toLowerCase() || "unspecified";
}

/** The status as words: "Timed out". */
export function statusWords(name) {
  return words(statusClass(name).replaceAll("-", "_").toUpperCase());
}

/** A chip with the status; a blocked workflow is running, but does not get on. */
export function statusChip(name, { blocked = false } = {}) {
  if (blocked) return h("span.chip.is-blocked", {}, "Blocked");
  return h(`span.chip.is-${statusClass(name)}`, {}, statusWords(name));
}
