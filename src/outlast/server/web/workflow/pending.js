/** What a run waits for: its workflow task, activities with their attempts and last failures, children. */

import { h, link } from "../dom.js";
import { ago, facts } from "../facts.js";
import { failureNode } from "../failures.js";
import { number, words } from "../format.js";
import { href } from "../router.js";
import { empty } from "../states.js";
import { activityButtons } from "./activity_actions.js";
import { payloadsNode } from "../values.js";

const CHILDREN_SHOWN = 100;

/** @param {import("./run_view.js").RunView} view */
export function pendingTab(view) {
  const node = h("div.stack");
  function update() {
    const children = view.description.pendingChildren ?? [];
    const parts = [taskCard(view), ...view.pending.map((activity) => activityCard(view, activity)), childrenCard(view, children)].filter(Boolean);
    // What was opened stays open: details are found again by the activity's id.
    const opened = new Set([...node.querySelectorAll("details[open]")].map((each) => each.dataset.of));
    node.replaceChildren(...(parts.length ? parts : [nothing(view)]));
    for (const each of node.querySelectorAll("details")) each.open = opened.has(each.dataset.of);
  }
  return { node, update };
}

/** How many things are waited for. */
export function pendingCount(view) {
  return view.pending.length + (view.description.pendingChildren?.length ?? 0);
}

function nothing(view) {
  if (view.paused) return empty("Nothing is under way", "The workflow is paused.");
  return view.running
    ? empty("Nothing is under way", "The workflow waits for a timer, a signal or an update, or for nothing but time.")
    : empty("Nothing is under way", "The workflow is closed.");
}

function taskCard({ description }) {
  const task = description.pendingWorkflowTask;
  if (!task) return null;
  return h(
    "section.card",
    {},
    h("div.card-head", {}, h("h2", {}, "Workflow task"), h(`span.chip.is-${(task.attempt ?? 1) > 1 ? "failed" : "running"}`, {}, words(task.state, "PENDING_WORKFLOW_TASK_STATE_"))),
    facts(["Attempt", number(task.attempt ?? 1)], ["Scheduled", ago(task.scheduledTime)], ["First scheduled", ago(task.originalScheduledTime)], ["Started", task.startedTime ? ago(task.startedTime) : null]),
  );
}

function attemptText(activity) {
  const most = Number(activity.maximumAttempts ?? 0);
  return `Attempt ${number(activity.attempt ?? 1)} of ${most ? number(most) : "any number"}`;
}

function activityCard(view, activity) {
  const retrying = (activity.attempt ?? 1) > 1;
  const state = words(activity.state, "PENDING_ACTIVITY_STATE_");
  return h(
    "section.card",
    {},
    h("div.card-head", {}, h("h2", {}, activity.activityType?.name ?? "Activity", " ", h("code.soft", {}, activity.activityId)), h(`span.chip.is-${activity.paused ? "paused" : retrying ? "retrying" : "running"}`, {}, activity.paused ? "Paused" : retrying && state === "Scheduled" ? "Retrying" : state)),
    facts(
      ["Attempt", attemptText(activity)],
      ["Next retry", nextRetry(activity)],
      ["Scheduled", nextRetry(activity) ? null : ago(activity.scheduledTime)],
      ["Last started", activity.lastStartedTime ? ago(activity.lastStartedTime) : null],
      ["Last heartbeat", activity.lastHeartbeatTime ? ago(activity.lastHeartbeatTime) : null],
      ["Gives up", activity.expirationTime ? ago(activity.expirationTime) : null],
      ["Last worker", activity.lastWorkerIdentity || null],
    ),
    activityButtons(view, activity),
    activity.heartbeatDetails ? h("section.event-block", {}, h("h3", {}, "Heartbeat details"), payloadsNode(activity.heartbeatDetails, "heartbeat")) : null,
    activity.lastFailure ? h("section.event-block", {}, h("h3", {}, "Last failure"), failureNode(activity.lastFailure)) : null,
  );
}

function nextRetry(activity) {
  if (activity.paused) return "Paused";
  const at = activity.nextAttemptScheduleTime ?? (activity.state === "PENDING_ACTIVITY_STATE_SCHEDULED" && (activity.attempt ?? 1) > 1 ? activity.scheduledTime : null);
  return at ? ago(at) : null;
}

function childrenCard({ run }, children) {
  if (!children.length) return null;
  return h(
    "section.card",
    {},
    h("h2", {}, `Open child workflows (${number(children.length)})`),
    h("ul.plain", {}, children.slice(0, CHILDREN_SHOWN).map((child) => h("li", {}, link(href(["namespaces", run.namespace, "workflows", child.workflowId, child.runId]), child.workflowId), h("span.soft", {}, ` ${child.workflowTypeName}`)))),
    children.length > CHILDREN_SHOWN ? h("p.soft", {}, `The first ${CHILDREN_SHOWN}; all are under Relations.`) : null,
  );
}
