/** The table of workflows: its rows, its order and what is selected. */

import { h, link, replace } from "../dom.js";
import { href } from "../router.js";
import { statusChip } from "../statuses.js";
import { sortedBy } from "./filter.js";

/** The key of a run. */
export function keyOf(info) {
  return `${info.execution.workflowId}\n${info.execution.runId}`;
}

/**
 * @param {{namespace: string, columns: import("./columns.js").Column[], onSort: (sort: string) => void, onSelect: () => void}} options
 */
export function workflowTable({ namespace, columns, onSort, onSelect }) {
  /** @type {Map<string, object>} */
  const selected = new Map();
  const all = h("input", { type: "checkbox", "aria-label": "Select every workflow of this page", onchange: () => selectPage(all.checked) });
  const head = h("thead");
  const body = h("tbody");
  const node = h("table.list", {}, h("caption.unseen", {}, "Workflows"), head, body);
  let shown = [];
  let order = "";

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
    order = sort;
    const focused = body.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    replace(head, headRow(all, columns, sort, onSort));
    replace(body, infos.map((info) => row(namespace, columns, info, selected.has(keyOf(info)), select)));
    if (focused) [...body.querySelectorAll("[data-key]")].find((each) => each.dataset.key === focused)?.focus();
    changed();
  }
  function reshape(wanted) {
    columns = wanted;
    if (order) show(shown, order);
  }
  return { node, show, reshape, selected, clear: () => selectPage(false) };
}

function headRow(all, columns, sort, onSort) {
  const [field, direction] = sort.split(" ");
  const heads = columns.map((column) => {
    if (!column.field) return h("th", { scope: "col" }, column.name);
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

function row(namespace, columns, info, ticked, select) {
  const box = h("input", { type: "checkbox", checked: ticked, "aria-label": `Select ${info.execution.workflowId}`, "data-key": `tick ${keyOf(info)}`, onchange: () => select(info, box.checked) });
  return h("tr", {}, h("td.tick", {}, box), columns.map((column) => cell(namespace, column, info)));
}

function cell(namespace, column, info) {
  const { workflowId, runId } = info.execution;
  const text = column.text(info);
  if (column.key === "status") return h("td.c-status", {}, statusChip(info.status, { blocked: isBlocked(info) }));
  if (column.key === "id") return h("td.c-id", {}, link(href(["namespaces", namespace, "workflows", workflowId, runId]), workflowId, { "data-key": keyOf(info), title: workflowId }));
  return h(`td.${column.look}`, { title: column.hint ? column.hint(info) : text, "data-label": column.name }, text);
}

function isBlocked(info) {
  return info.status === "WORKFLOW_EXECUTION_STATUS_RUNNING" && Boolean(info.searchAttributes?.indexedFields?.TemporalReportedProblems);
}
