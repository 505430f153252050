/** What stands above a run that does not get on: it is paused or blocked, nobody works, or it is being cancelled. */

import { h, link } from "../dom.js";
import { ago } from "../facts.js";
import { failureNode } from "../failures.js";
import { words } from "../format.js";
import { href } from "../router.js";

/** @param {import("./run_view.js").RunView} view @returns {Node[]} */
export function banners(view) {
  const found = [];
  if (view.paused) found.push(paused(view));
  if (view.blocked) found.push(blocked(view));
  if (view.deserted) found.push(deserted(view));
  if (view.running && view.description.workflowExtendedInfo?.cancelRequested) {
    found.push(h("div.banner.is-canceled", { role: "status" }, h("p", {}, h("strong", {}, "Cancellation is requested. "), "The workflow decides when it ends.")));
  }
  return found;
}

function paused(view) {
  const { pausedTime, identity, reason } = view.description.workflowExtendedInfo?.pauseInfo ?? {};
  return h(
    "section.banner.is-paused",
    { role: "status" },
    h("h2", {}, "This workflow is paused"),
    h("p", {}, reason ? h("strong", {}, reason, " ") : null, "Nobody gets work of it until it is unpaused; signals and results wait, timers and timeouts go on."),
    h("p.soft", {}, "paused ", ago(pausedTime), identity ? ` by ${identity}` : ""),
  );
}

function blocked(view) {
  const task = view.description.pendingWorkflowTask;
  const { event, attributes } = view.trouble;
  const cause = attributes.cause ? words(attributes.cause, "WORKFLOW_TASK_FAILED_CAUSE_") : "Timed out";
  return h(
    "section.banner.is-blocked",
    { role: "alert" },
    h("h2", {}, "This workflow is blocked: its code fails"),
    h(
      "p",
      {},
      `The workflow task has failed ${(task.attempt ?? 1) - 1} times and is tried again, now attempt ${task.attempt}. Nothing is lost: correct the code, restart the worker, and the workflow goes on by itself.`,
    ),
    event ? h("p.soft", {}, `${cause} · first seen `, ago(event.eventTime), attributes.identity ? ` · worker ${attributes.identity}` : "") : null,
    attributes.failure ? failureNode(attributes.failure) : null,
  );
}

function deserted(view) {
  const queue = view.info.taskQueue;
  return h(
    "section.banner.is-retrying",
    { role: "status" },
    h("h2", {}, "No worker polls its task queue"),
    h("p", {}, "There is work to do, but nobody to do it. Start a worker for ", link(href(["namespaces", view.run.namespace, "task-queues", queue]), queue), "; the workflow goes on by itself."),
  );
}
