/** The list of workflows: search, counts, order, pages, and actions for many. */

import { call } from "../api.js";
import { h, link, replace } from "../dom.js";
import { count, number } from "../format.js";
import { refresh } from "../refresh.js";
import { current, remember } from "../router.js";
import { openStart } from "../start.js";
import { empty, failed, loading } from "../states.js";
import { columnMenu } from "./column_menu.js";
import { allColumns, chosenColumns } from "./columns.js";
import { openBulk } from "./bulk.js";
import { countByStatus, countsBar } from "./counts.js";
import { condition, query } from "./filter.js";
import { searchBar } from "./search.js";
import { workflowTable } from "./table.js";
import { viewMenu } from "./views.js";
import { settings } from "../settings.js";

const PAGE_SIZE = 50;
const REFRESH_MS = 3000;
const DEFAULT_SORT = "StartTime DESC";

/** @type {import("../router.js").Page} */
export function workflowsPage(root, { namespace }, signal) {
  document.title = `Workflows · ${namespace} · Outlast`;
  const view = viewOf(current().query);
  const pages = [""];
  const place = h("div.list-place", {}, loading("Loading workflows"));
  const total = h("span.total");
  const bulk = h("div.bulk", { hidden: true });
  const pager = h("div.pager");
  const counts = countsBar((status) => change({ status }));
  let attributes = null;
  const ownAttributes = () => (attributes ??= call("ListSearchAttributes", { namespace }, { signal }).then((answer) => answer.customAttributes ?? {}, () => ({})));
  const columns = columnMenu(ownAttributes, (wanted) => table.reshape(wanted));
  const table = workflowTable({ namespace, columns: chosenColumns(allColumns({}), settings.columns), onSort: (sort) => change({ sort }), onSelect: showBulk });
  const search = searchBar(view, change);
  const views = viewMenu(() => view, choose);
  let matching = 0;

  const again = refresh(load, REFRESH_MS, signal);
  root.append(
    h("div.head", {}, h("h1", {}, "Workflows"), total, h("div.head-end", {}, views, columns, h("button.primary", { type: "button", onclick: () => openStart(namespace) }, "Start workflow"))),
    search.node,
    counts.node,
    bulk,
    place,
    pager,
  );

  function change(part) {
    Object.assign(view, part);
    pages.splice(1);
    table.clear();
    remember(addressOf(view));
    again();
  }
  function choose(chosen) {
    const next = { ...viewOf(new URLSearchParams()), ...chosen };
    search.set(next);
    change(next);
  }
  if (settings.columns?.some((key) => key.startsWith("@"))) void ownAttributes().then((own) => table.reshape(chosenColumns(allColumns(own), settings.columns)));
  async function load() {
    try {
      const token = pages.at(-1);
      const asked = JSON.stringify(view);
      const [list, numbers] = await Promise.all([
        call("ListWorkflowExecutions", { namespace, query: query(view), page_size: PAGE_SIZE, next_page_token: token }, { signal }),
        countByStatus(namespace, view, signal),
      ]);
      if (token === pages.at(-1) && asked === JSON.stringify(view)) show(list, numbers);
    } catch (error) {
      if (signal.aborted) return;
      if (error.unanswered && table.node.isConnected) return;
      replace(place, failed(await blame(error, namespace, view), error.code === 3 ? null : again));
      replace(pager);
    }
  }
  function show({ executions = [], nextPageToken = "" }, numbers) {
    counts.show(numbers, view.status);
    matching = numbers.get(view.status) ?? 0;
    total.textContent = count(matching, "workflow");
    if (executions.length) {
      table.show(executions, view.sort);
      if (!table.node.isConnected) replace(place, h("div.scroll", {}, table.node));
    } else replace(place, nothing(view, namespace, () => search.reset()));
    replace(pager, pageButtons(pages, nextPageToken, again));
  }
  function showBulk() {
    const chosen = [...table.selected.values()].map((info) => info.execution);
    bulk.hidden = chosen.length === 0;
    replace(bulk, bulkBar({ namespace, chosen, matching, where: condition(view), clear: () => table.clear(), done: () => { table.clear(); again(); } }));
  }
}

function viewOf(params) {
  return { text: params.get("query") ?? "", status: params.get("status") ?? "", range: params.get("range") ?? "", sort: params.get("sort") ?? DEFAULT_SORT };
}

function addressOf({ text, status, range, sort }) {
  return { query: text, status, range, sort: sort === DEFAULT_SORT ? "" : sort };
}

/** The error of what the user typed, which counts characters from its beginning, where that is what is wrong. */
async function blame(error, namespace, { text }) {
  if (error.code !== 3 || !text) return error;
  try {
    await call("ListWorkflowExecutions", { namespace, query: text, page_size: 1 });
    return error;
  } catch (own) {
    return own;
  }
}

function nothing(view, namespace, reset) {
  if (view.text || view.status || view.range) {
    return empty("No workflow matches", "Try a shorter text, another status or a longer time.", h("button", { type: "button", onclick: reset }, "Show all workflows"));
  }
  return empty(
    `There are no workflows in ${namespace} yet`,
    "They appear here as soon as one is started: with “Start workflow” above, from your code with client.start_workflow(…), or by the demo:",
    h("code.command", {}, "outlast demo"),
  );
}

function pageButtons(pages, nextPageToken, again) {
  if (pages.length === 1 && !nextPageToken) return [];
  const turn = (change) => () => {
    change();
    again();
  };
  return [
    h("button", { type: "button", disabled: pages.length === 1, onclick: turn(() => pages.pop()) }, "← Previous"),
    h("span", {}, `Page ${number(pages.length)}`),
    h("button", { type: "button", disabled: !nextPageToken, onclick: turn(() => pages.push(nextPageToken)) }, "Next →"),
  ];
}

function bulkBar({ namespace, chosen, matching, where, clear, done }) {
  const everything = h("input", { type: "checkbox" });
  const target = () => (everything.checked ? { namespace, query: where || "WorkflowId != ''", amount: matching } : { namespace, executions: chosen, amount: chosen.length });
  const act = (kind, name, tag = "button") => h(tag, { type: "button", onclick: () => openBulk(kind, target(), done) }, name);
  return [
    h("span", {}, `${number(chosen.length)} selected`),
    matching > chosen.length ? h("label.choice", {}, everything, h("span", {}, `all ${number(matching)} that match`)) : null,
    act("signal", "Signal"),
    act("cancel", "Cancel"),
    act("reset", "Reset"),
    act("terminate", "Terminate", "button.danger"),
    act("delete", "Delete", "button.danger"),
    h("button.quiet", { type: "button", onclick: clear }, "Clear"),
  ];
}
