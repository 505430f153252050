/** The relatives of a run: parent and root, the chain of runs under its id, and its children. */

import { call } from "../api.js";
import { h, link, replace } from "../dom.js";
import { facts, simpleTable, when } from "../facts.js";
import { number } from "../format.js";
import { quoted } from "../list/filter.js";
import { href } from "../router.js";
import { failed, loading } from "../states.js";
import { statusChip } from "../statuses.js";
import { attributesOf, typeName } from "./events.js";

const PAGE = 100;

/** @param {import("./run_view.js").RunView} view @param {AbortSignal} signal */
export function relationsTab(view, signal) {
  const { namespace, workflowId, runId } = view.run;
  const above = h("section.card");
  const runs = listing(namespace, "Runs of this workflow id", `WorkflowId = ${quoted(workflowId)} ORDER BY StartTime DESC`, signal, runId);
  const children = listing(namespace, "Child workflows", `ParentWorkflowId = ${quoted(workflowId)} AND ParentRunId = ${quoted(runId)}`, signal);
  const node = h("div.stack", {}, above, runs, children);
  return { node, update: () => replace(above, h("h2", {}, "Where it comes from"), origin(view)) };
}

function origin(view) {
  const { info, run, description } = view;
  const to = (execution) => link(href(["namespaces", run.namespace, "workflows", execution.workflowId, execution.runId]), execution.workflowId);
  const toRun = (id) => link(href(["namespaces", run.namespace, "workflows", run.workflowId, id]), id);
  const begun = view.events.first ? attributesOf(view.events.first) : {};
  const closed = view.running ? null : view.events.closing;
  const next = closed ? attributesOf(closed).newExecutionRunId : null;
  const root = info.rootExecution?.workflowId && info.rootExecution.runId !== run.runId ? info.rootExecution : null;
  const known = [
    ["Parent", info.parentExecution ? to(info.parentExecution) : null],
    ["Root", root ? to(root) : null],
    ["Continued from", begun.continuedExecutionRunId ? toRun(begun.continuedExecutionRunId) : null],
    [closed && typeName(closed).endsWith("AsNew") ? "Continued by" : "Next run", next ? toRun(next) : null],
    ["Was reset to", description.workflowExtendedInfo?.resetRunId ? toRun(description.workflowExtendedInfo.resetRunId) : null],
  ].filter(([, value]) => value);
  return known.length ? facts(...known) : h("p.nothing", {}, "It was started by a client, not by another workflow, and continues no other run.");
}

/** A list of workflows, a page at a time. */
function listing(namespace, title, query, signal, here = null) {
  const place = h("div", {}, loading());
  const heading = h("h2", {}, title);
  const found = [];
  let token = "";
  async function more() {
    try {
      const [page, total] = await Promise.all([
        call("ListWorkflowExecutions", { namespace, query, page_size: PAGE, next_page_token: token }, { signal }),
        call("CountWorkflowExecutions", { namespace, query: query.replace(/ ORDER BY .*$/, "") }, { signal }),
      ]);
      found.push(...(page.executions ?? []));
      token = page.nextPageToken ?? "";
      heading.textContent = `${title} (${number(total.count)})`;
      show();
    } catch (error) {
      if (!signal.aborted) replace(place, failed(error, more));
    }
  }
  function show() {
    if (!found.length) return replace(place, h("p.nothing", {}, "None."));
    const rows = found.map((info) => row(namespace, info, here));
    return replace(place, simpleTable(title, ["Status", here ? "Run" : "Workflow id", "Type", "Started", "Closed"], rows), token ? h("p.more", {}, h("button", { type: "button", onclick: more }, "Show more")) : null);
  }
  void more();
  return h("section.card", {}, heading, place);
}

function row(namespace, info, here) {
  const { workflowId, runId } = info.execution;
  const name = here ? runId : workflowId;
  const target = href(["namespaces", namespace, "workflows", workflowId, runId]);
  return [statusChip(info.status), runId === here ? h("strong", {}, `${name} (this one)`) : link(target, name), info.type?.name ?? "–", when(info.startTime), when(info.closeTime)];
}
