/** The table of workflows: its rows, its order and what is selected. */

import { h, link, replace } from "../dom.js";
import { fullTime, instant, length, seconds, time } from "../format.js";
import { href } from "../router.js";
import { statusChip } from "../statuses.js";
import { COLUMNS, sortedBy } from "./filter.js";

/** The key of a run. */
export function keyOf(info) {
  return `${info.execution.workflowId}\n${info.execution.runId}`;
}

/**
 * @param {{namespace: string, onSort: (sort: string) => void, onSelect: () => void}} options
 */
export function workflowTable({ namespace, onSort, onSelect }) {
  /** @type {Map<string, object>} */
  const selected = new Map();
  const all = h("input", { type: "checkbox", "aria-label": "Select every workflow of this page", onchange: () => selectPage(all.checked) });
  const head = h("thead");
  const body = h("tbody");
  const node = h("table.list", {}, h("caption.unseen", {}, "Workflows"), head, body);
  let shown = [];

  function selectPage(on) {
    for (const info of shown) {
      if (on) selected.set(keyOf(info), info);
      else selected.delete(keyOf(info));
    }
    for (const box of body.querySelectorAll("input")) box.checked = on;
    changed();
  }
  function select(info, on) {
    if (on) selected.set(keyOf(info), info);
    else selected.delete(keyOf(info));
    changed();
  }
  function changed() {
    const here = shown.filter((info) => selected.has(keyOf(info))).length;
    all.checked = here > 0 && here === shown.length;
    all.indeterminate = here > 0 && here < shown.length;
    onSelect();
  }
  function show(infos, sort) {
    shown = infos;
    const focused = body.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    replace(head, headRow(all, sort, onSort));
    replace(body, infos.map((info) => row(namespace, info, selected.has(keyOf(info)), select)));
    if (focused) [...body.querySelectorAll("[data-key]")].find((each) => each.dataset.key === focused)?.focus();
    changed();
  }
  return { node, show, selected, clear: () => selectPage(false) };
}

function headRow(all, sort, onSort) {
  const [field, direction] = sort.split(" ");
  const heads = COLUMNS.map((column) => {
    const mine = column.field === field;
    const sign = mine ? (direction === "ASC" ? "↑" : "↓") : "";
    return h(
      "th",
      { scope: "col", "aria-sort": mine ? (direction === "ASC" ? "ascending" : "descending") : null },
      h("button.sort", { type: "button", onclick: () => onSort(sortedBy(column, sort)) }, column.name, h("span.sort-sign", { "aria-hidden": "true" }, sign)),
    );
  });
  return h("tr", {}, h("th.tick", { scope: "col" }, all), heads);
}

function row(namespace, info, ticked, select) {
  const { workflowId, runId } = info.execution;
  const blocked = info.status === "WORKFLOW_EXECUTION_STATUS_RUNNING" && Boolean(info.searchAttributes?.indexedFields?.TemporalReportedProblems);
  const box = h("input", { type: "checkbox", checked: ticked, "aria-label": `Select ${workflowId}`, "data-key": `tick ${keyOf(info)}`, onchange: () => select(info, box.checked) });
  const target = href(["namespaces", namespace, "workflows", workflowId, runId]);
  return h(
    "tr",
    {},
    h("td.tick", {}, box),
    h("td.c-status", {}, statusChip(info.status, { blocked })),
    h("td.c-id", {}, link(target, workflowId, { "data-key": keyOf(info), title: workflowId })),
    h("td.c-type", { title: info.type?.name }, info.type?.name ?? "–"),
    h("td.c-start.num", { title: fullTime(info.startTime), "data-label": "Started" }, time(info.startTime)),
    h("td.c-close.num", { title: fullTime(info.closeTime), "data-label": "Closed" }, time(info.closeTime)),
    h("td.c-length.num", { "data-label": "Took" }, durationOf(info)),
    h("td.c-queue", { title: info.taskQueue }, info.taskQueue ?? "–"),
  );
}

function durationOf(info) {
  if (info.executionDuration) return length(seconds(info.executionDuration));
  const from = instant(info.startTime);
  return from === null ? "–" : length(Math.max(0, Math.floor((Date.now() - from) / 1000)));
}
