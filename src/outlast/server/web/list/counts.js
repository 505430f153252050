/** How many workflows are in which status: each count is a filter. */

import { call } from "../api.js";
import { h, replace } from "../dom.js";
import { number } from "../format.js";
import { plain } from "../payloads.js";
import { STATUSES, statusClass, statusWords } from "../statuses.js";
import { BLOCKED, condition } from "./filter.js";

/** In this order; all, and those that run and those that should, before those that ended. */
const SHOWN = ["", "Running", "Blocked", ...STATUSES.slice(1)];

/** The counts of a view, by status; "" is the sum of all. @returns {Promise<Map<string, number>>} */
export async function countByStatus(namespace, view, signal) {
  const where = condition(view, { status: false });
  const blocked = where ? `(${where}) AND ${BLOCKED}` : BLOCKED;
  const [groups, troubled] = await Promise.all([
    call("CountWorkflowExecutions", { namespace, query: `${where} GROUP BY ExecutionStatus`.trim() }, { signal }),
    call("CountWorkflowExecutions", { namespace, query: blocked }, { signal }),
  ]);
  const counts = new Map((groups.groups ?? []).map((group) => [plain(group.groupValues[0]), Number(group.count)]));
  counts.set("", Number(groups.count ?? 0));
  counts.set("Blocked", Number(troubled.count ?? 0));
  return counts;
}

/** The row of counts; `choose(status)` is called with what was clicked. */
export function countsBar(choose) {
  const node = h("div.counts", { role: "group", "aria-label": "Filter by status" });
  function show(counts, chosen) {
    const shown = SHOWN.filter((status) => !status || status === chosen || counts.get(status));
    const focused = node.contains(document.activeElement) ? document.activeElement.dataset.status : null;
    replace(node, shown.map((status) => count(status, counts.get(status) ?? 0, status === chosen, choose)));
    if (focused !== null) [...node.children].find((button) => button.dataset.status === focused)?.focus();
  }
  return { node, show };
}

function count(status, amount, pressed, choose) {
  const label = status ? statusWords(status) : "All";
  return h(
    "button.count",
    { type: "button", "aria-pressed": String(pressed), "data-status": status, onclick: () => choose(pressed ? "" : status) },
    status ? h(`span.dot.is-${statusClass(status)}`, { "aria-hidden": "true" }) : null,
    h("span.count-name", {}, label),
    h("span.count-number", {}, number(amount)),
  );
}
