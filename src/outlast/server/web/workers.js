/** Workers, as their heartbeats tell of them. */

import { call } from "./api.js";
import { h, link, replace } from "./dom.js";
import { ago, simpleTable } from "./facts.js";
import { number, words } from "./format.js";
import { refresh } from "./refresh.js";
import { href } from "./router.js";
import { empty, failed, loading } from "./states.js";

const REFRESH_MS = 3000;

/** Heartbeats of all workers of a namespace. */
export async function workerInfos(namespace, signal) {
  const { workersInfo = [] } = await call("ListWorkers", { namespace, page_size: 1000 }, { signal });
  return workersInfo.map((info) => info.workerHeartbeat);
}

/** @type {import("./router.js").Page} */
export function workersPage(root, { namespace }, signal) {
  document.title = `Workers · ${namespace} · Outlast`;
  const place = h("div", {}, loading("Loading workers"));
  root.append(h("div.head", {}, h("h1", {}, "Workers")), place);
  const again = refresh(load, REFRESH_MS, signal);
  async function load() {
    try {
      const workers = await workerInfos(namespace, signal);
      replace(place, workers.length ? table(namespace, workers) : none(namespace));
    } catch (error) {
      if (!signal.aborted && !(error.unanswered && place.querySelector("table"))) replace(place, failed(error, again));
    }
  }
}

function none(namespace) {
  return empty(
    "No worker reports itself",
    "Workers of SDKs that send heartbeats are listed here. Others are seen as pollers of their task queue.",
    link(href(["namespaces", namespace, "task-queues"]), "Look at the task queues", { class: "button" }),
  );
}

function table(namespace, workers) {
  const rows = workers.map((worker) => [
    h("div", {}, h("div", {}, worker.workerIdentity), h("div.soft.small", {}, [worker.hostInfo?.hostName, worker.hostInfo?.processId].filter(Boolean).join(" · "))),
    statusOf(worker.status),
    link(href(["namespaces", namespace, "task-queues", worker.taskQueue]), worker.taskQueue),
    [worker.sdkName, worker.sdkVersion].filter(Boolean).join(" ") || "–",
    slots(worker.workflowTaskSlotsInfo),
    slots(worker.activityTaskSlotsInfo),
    cache(worker),
    load(worker.hostInfo),
    ago(worker.startTime),
    ago(worker.heartbeatTime),
  ]);
  const heads = ["Worker", "Status", "Task queue", "SDK", "Workflow slots", "Activity slots", "Cache", "CPU · memory", "Started", "Heartbeat"];
  return simpleTable("Workers", heads, rows);
}

function statusOf(status) {
  const running = status === "WORKER_STATUS_RUNNING";
  return h(`span.chip.${running ? "is-completed" : "is-terminated"}`, {}, words(status, "WORKER_STATUS_"));
}

function slots(info) {
  if (!info) return "–";
  const [used, free] = [info.currentUsedSlots ?? 0, info.currentAvailableSlots ?? 0];
  return `${number(used)} of ${number(used + free)}`;
}

function cache(worker) {
  const [hits, misses] = [worker.totalStickyCacheHit ?? 0, worker.totalStickyCacheMiss ?? 0];
  return h("span", { title: `${hits} hits, ${misses} misses` }, number(worker.currentStickyCacheSize ?? 0));
}

function load(host) {
  const percent = (value) => `${Math.round((value ?? 0) * 100)} %`;
  return host ? `${percent(host.currentHostCpuUsage)} · ${percent(host.currentHostMemUsage)}` : "–";
}
