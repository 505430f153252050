/** The page of one run: what it is, what can be done to it, and tabs that tell the rest. */

import { call, execution } from "../api.js";
import { h, link, replace } from "../dom.js";
import { facts, when } from "../facts.js";
import { instant, length, number } from "../format.js";
import { refresh } from "../refresh.js";
import { href, redirect } from "../router.js";
import { empty, failed, loading } from "../states.js";
import { statusChip } from "../statuses.js";
import { copyButton } from "../values.js";
import { actionButtons } from "./actions.js";
import { banners } from "./banners.js";
import { callsTab } from "./calls.js";
import { historyTab } from "./history.js";
import { pendingCount, pendingTab } from "./pending.js";
import { relationsTab } from "./relations.js";
import { RunView } from "./run_view.js";
import { summaryTab } from "./summary.js";
import { timelineTab } from "./timeline.js";

const REFRESH_MS = 2000;

/** Title, what makes the tab, and what it needs of the history. */
const TABS = {
  summary: ["Summary", summaryTab, "ends"],
  timeline: ["Timeline", timelineTab, "all"],
  history: ["History", historyTab, "all"],
  pending: ["Pending", pendingTab, "nothing"],
  queries: ["Queries", callsTab, "nothing"],
  relations: ["Relations", relationsTab, "ends"],
};

/** @type {import("../router.js").Page} */
export function workflowPage(root, { namespace, workflowId, runId, tab = "summary" }, signal) {
  document.title = `${workflowId} · Outlast`;
  if (!runId) {
    void latest(root, { namespace, workflowId }, signal);
    return;
  }
  const view = new RunView({ namespace, workflowId, runId });
  const [, makeTab, need] = TABS[tab] ?? TABS.summary;
  const frame = frameOf(view, TABS[tab] ? tab : "summary");
  let content = null;
  root.append(frame.crumbs, loading("Loading the workflow"));
  const again = refresh(load, REFRESH_MS, signal);

  async function load() {
    if (content && view.settled(need)) return;
    try {
      await view.describe(signal);
      if (!content) {
        content = makeTab(view, signal);
        replace(root, frame.node);
        frame.node.prepend(frame.crumbs);
        frame.place.append(content.node);
      }
      show();
      await view.learn(need, signal, show);
    } catch (error) {
      if (signal.aborted || (error.unanswered && content)) return;
      if (!content) replace(root, frame.crumbs, notThere(error, { namespace, workflowId }, again));
    }
  }
  function show() {
    if (signal.aborted) return;
    frame.show(again);
    content.update();
  }
}

/** Go to the latest run of a workflow id. */
async function latest(root, run, signal) {
  try {
    const { workflowExecutionInfo } = await call("DescribeWorkflowExecution", execution("execution", run), { signal });
    redirect(href(["namespaces", run.namespace, "workflows", run.workflowId, workflowExecutionInfo.execution.runId]));
  } catch (error) {
    if (!signal.aborted) replace(root, notThere(error, run, () => latest(root, run, signal)));
  }
}

function notThere(error, { namespace, workflowId }, again) {
  if (!error.notFound) return failed(error, again);
  return empty(
    "There is no such workflow",
    `${workflowId} has never run in the namespace ${namespace}, or its retention is over and it was deleted.`,
    link(href(["namespaces", namespace, "workflows"]), "Look at all workflows", { class: "button" }),
  );
}

function frameOf(view, tab) {
  const { namespace, workflowId } = view.run;
  const crumbs = h("nav.crumbs", { "aria-label": "Where you are" }, link(href(["namespaces", namespace, "workflows"]), "Workflows"));
  const status = h("span.head-status");
  const actions = h("div.head-end");
  const about = h("div.about-run");
  const alerts = h("div.stack.alerts");
  const tabs = h("nav.tabs", { "aria-label": "Parts of the workflow" });
  const place = h("div.tab-place");
  const node = h("div", {}, crumbs, h("div.head", {}, h("h1", {}, workflowId), copyButton(workflowId, "workflow id"), status, actions), about, alerts, tabs, place);
  const shown = {};
  /** Put in what changed: buttons under the pointer and opened failures stay as they are. */
  function put(name, key, make) {
    if (shown[name] === key) return;
    shown[name] = key;
    make();
  }
  function show(changed) {
    put("status", `${view.info.status} ${view.blocked}`, () => {
      replace(status, statusChip(view.info.status, { blocked: view.blocked }));
      replace(actions, actionButtons(view, changed));
    });
    replace(about, aboutRun(view));
    put("alerts", JSON.stringify([view.trouble?.event, view.description.pendingWorkflowTask?.attempt, view.deserted, view.description.workflowExtendedInfo?.cancelRequested, view.info.status]), () => replace(alerts, banners(view)));
    const counts = { history: Number(view.info.historyLength ?? 0), pending: pendingCount(view) };
    put("tabs", JSON.stringify(counts), () => {
      replace(tabs, tabLinks(view, tab, counts));
      tabs.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    });
  }
  return { node, crumbs, place, show };
}

function aboutRun({ run, info }) {
  const from = instant(info.startTime);
  const to = instant(info.closeTime);
  const took = from === null ? "–" : to === null ? `${length(Math.max(0, Math.floor((Date.now() - from) / 1000)))} so far` : length((to - from) / 1000);
  const queue = info.taskQueue ? link(href(["namespaces", run.namespace, "task-queues", info.taskQueue]), info.taskQueue) : null;
  return facts(["Type", info.type?.name], ["Task queue", queue], ["Started", when(info.startTime)], ["Closed", info.closeTime ? when(info.closeTime) : null], ["Duration", h("span.num", {}, took)]);
}

function tabLinks({ run }, tab, counts) {
  return Object.entries(TABS).map(([name, [title]]) =>
    link(href(["namespaces", run.namespace, "workflows", run.workflowId, run.runId, name]), [title, counts[name] ? [" ", h("span.tab-count", {}, number(counts[name]))] : null], { "aria-current": name === tab ? "page" : null }),
  );
}
