/** Task queues: those of workflows and workers that were seen lately, and one of them with pollers and backlog. */

import { call } from "./api.js";
import { h, link, replace } from "./dom.js";
import { ago, facts, simpleTable } from "./facts.js";
import { length, number, seconds } from "./format.js";
import { workerInfos } from "./workers.js";
import { refresh } from "./refresh.js";
import { go, href } from "./router.js";
import { empty, failed, loading } from "./states.js";

const REFRESH_MS = 3000;
const LOOKED_AT = 500;
const TYPES = { Workflow: "TASK_QUEUE_TYPE_WORKFLOW", Activity: "TASK_QUEUE_TYPE_ACTIVITY" };

/** What a queue has, by type. */
async function describeQueue(namespace, queue, signal) {
  const each = Object.entries(TYPES).map(async ([name, type]) => {
    const fields = { namespace, "task_queue.name": queue, task_queue_type: type, report_stats: true, report_config: true };
    return [name, await call("DescribeTaskQueue", fields, { signal })];
  });
  return new Map(await Promise.all(each));
}

/** Names of queues: of the youngest workflows, running and any, and of the workers. There is no RPC that lists them. */
async function queueNames(namespace, signal) {
  const youngest = (where) => call("ListWorkflowExecutions", { namespace, page_size: LOOKED_AT, query: `${where} ORDER BY StartTime DESC` }, { signal });
  const [running, any, workers] = await Promise.all([
    youngest("ExecutionStatus = 'Running'"),
    youngest(""),
    workerInfos(namespace, signal).catch((error) => {
      if (error.unimplemented) return [];
      throw error;
    }),
  ]);
  const names = [...(running.executions ?? []), ...(any.executions ?? [])].map((info) => info.taskQueue).concat(workers.map((worker) => worker.taskQueue));
  return [...new Set(names.filter(Boolean))].sort();
}

function backlog(described) {
  return Number(described.stats?.approximateBacklogCount ?? 0);
}

function pollers(described) {
  return described.pollers?.length ?? 0;
}

/** @type {import("./router.js").Page} */
export function taskQueuesPage(root, { namespace }, signal) {
  document.title = `Task queues · ${namespace} · Outlast`;
  const place = h("div", {}, loading("Loading task queues"));
  const name = h("input", { type: "text", required: true, placeholder: "Name of a task queue", "aria-label": "Name of a task queue" });
  const look = (event) => {
    event.preventDefault();
    go(href(["namespaces", namespace, "task-queues", name.value]));
  };
  root.append(
    h("div.head", {}, h("h1", {}, "Task queues"), h("form.head-end", { onsubmit: look }, name, h("button", { type: "submit" }, "Open"))),
    h("p.soft.lead", {}, `Queues of the ${LOOKED_AT} youngest workflows, of as many that run, and of the workers. Open any other by its name.`),
    place,
  );
  const again = refresh(load, REFRESH_MS, signal);
  async function load() {
    try {
      const names = await queueNames(namespace, signal);
      const described = await Promise.all(names.map((each) => describeQueue(namespace, each, signal)));
      replace(place, names.length ? table(namespace, names, described) : noQueues());
    } catch (error) {
      if (!signal.aborted && !(error.unanswered && place.querySelector("table"))) replace(place, failed(error, again));
    }
  }
}

function noQueues() {
  return empty("No task queue has been used yet", "A queue comes into being when a worker polls it or a workflow names it. Run a worker:", h("code.command", {}, "Worker(client, task_queue=\"orders\", …)"));
}

function table(namespace, names, described) {
  const rows = names.map((name, i) => {
    const [workflow, activity] = [described[i].get("Workflow"), described[i].get("Activity")];
    const idle = pollers(workflow) + pollers(activity) === 0;
    return [
      link(href(["namespaces", namespace, "task-queues", name]), name),
      number(pollers(workflow)),
      number(pollers(activity)),
      number(backlog(workflow)),
      number(backlog(activity)),
      idle ? h("span.chip.is-retrying", {}, "No worker") : h("span.chip.is-completed", {}, "Polled"),
    ];
  });
  return simpleTable("Task queues", ["Name", "Workflow pollers", "Activity pollers", "Workflow backlog", "Activity backlog", "State"], rows);
}

/** @type {import("./router.js").Page} */
export function taskQueuePage(root, { namespace, queue }, signal) {
  document.title = `${queue} · Task queues · Outlast`;
  const place = h("div.stack", {}, loading("Loading the task queue"));
  root.append(
    h("nav.crumbs", { "aria-label": "Where you are" }, link(href(["namespaces", namespace, "task-queues"]), "Task queues")),
    h("div.head", {}, h("h1", {}, queue), h("div.head-end", {}, link(href(["namespaces", namespace, "workflows"], { query: `TaskQueue = '${queue}'` }), "Its workflows", { class: "button" }))),
    place,
  );
  const again = refresh(load, REFRESH_MS, signal);
  async function load() {
    try {
      const described = await describeQueue(namespace, queue, signal);
      replace(place, [...described].map(([name, each]) => queueCard(name, each)));
    } catch (error) {
      if (!signal.aborted && !(error.unanswered && place.querySelector(".card"))) replace(place, failed(error, again));
    }
  }
}

function queueCard(name, described) {
  const stats = described.stats ?? {};
  const rows = (described.pollers ?? []).map((poller) => [poller.identity, ago(poller.lastAccessTime), poller.ratePerSecond ? number(poller.ratePerSecond) : "–"]);
  const limit = described.effectiveRateLimit?.requestsPerSecond;
  const rate = (value) => `${Number(value ?? 0).toFixed(1)} / s`;
  return h(
    "section.card",
    {},
    h("h2", {}, `${name} tasks`),
    facts(
      ["Waiting", number(backlog(described))],
      ["Oldest waits", length(seconds(stats.approximateBacklogAge))],
      ["Coming in", rate(stats.tasksAddRate)],
      ["Going out", rate(stats.tasksDispatchRate)],
      ["Rate limit", limit ? rate(limit) : null],
    ),
    h("h3.part", {}, "Pollers"),
    rows.length
      ? simpleTable(`Pollers of ${name} tasks`, ["Identity", "Last seen", "Limit per second"], rows)
      : h("p.nothing", {}, "No worker has polled this queue in the last minutes. What waits stays until one does: start a worker with this task queue."),
  );
}
