/** The statuses of standalone activities. */

import { h } from "../dom.js";
import { statusClass, statusWords } from "../statuses.js";

const PREFIX = "ACTIVITY_EXECUTION_STATUS_";

/** As list filters spell them, in the order in which they are shown. */
export const STATUSES = ["Running", "Paused", "Completed", "Failed", "Canceled", "Terminated", "TimedOut"];

/** Whether an activity is still to be done. */
export function isOpen(info) {
  return info.status === `${PREFIX}RUNNING` || info.status === `${PREFIX}PAUSED`;
}

/** Whether it waits to be unpaused. */
export function isPaused(info) {
  return info.status === `${PREFIX}PAUSED` || /_PAUSED$|_PAUSE_REQUESTED$/.test(info.runState ?? "");
}

/** A chip with the status. */
export function activityChip(info) {
  if (isOpen(info) && isPaused(info)) return h("span.chip.is-paused", {}, "Paused");
  if (isOpen(info) && (info.attempt ?? 1) > 1) return h("span.chip.is-retrying", {}, "Retrying");
  const name = (info.status ?? "").replace(PREFIX, "");
  return h(`span.chip.is-${statusClass(name)}`, {}, statusWords(name));
}
