/** Batch operations of a namespace, the latest first. */

import { call } from "../api.js";
import { h, link } from "../dom.js";
import { ago, simpleTable, when } from "../facts.js";
import { number } from "../format.js";
import { live } from "../live.js";
import { href } from "../router.js";
import { empty, loading } from "../states.js";
import { isRunning, openStop, progressBar, stateChip, typeWords } from "./operations.js";

const REFRESH_MS = 2000;
const PAGE = 100;

/** @type {import("../router.js").Page} */
export function batchesPage(root, { namespace }, signal) {
  document.title = `Batch operations · ${namespace} · Outlast`;
  const place = h("div", {}, loading("Loading batch operations"));
  root.append(h("div.head", {}, h("h1", {}, "Batch operations")), place);
  const again = live(place, load, REFRESH_MS, signal);
  async function load() {
    const { operationInfo = [], nextPageToken } = await call("ListBatchOperations", { namespace, page_size: PAGE }, { signal });
    if (!operationInfo.length) return none(namespace);
    const jobs = await Promise.all(operationInfo.map((each) => call("DescribeBatchOperation", { namespace, job_id: each.jobId }, { signal })));
    return [table(namespace, jobs, again), nextPageToken ? h("p.soft.more", {}, `The latest ${number(PAGE)}; the command “outlast batch list” has all.`) : null];
  }
}

function none(namespace) {
  return empty(
    "There has been no batch operation yet",
    "A batch operation does the same to many workflows: cancel, terminate, signal, reset or delete them. Tick workflows in the list and choose what to do.",
    link(href(["namespaces", namespace, "workflows"]), "Go to the workflows", { class: "button" }),
  );
}

function table(namespace, jobs, again) {
  const rows = jobs.map((job) => [
    stateChip(job),
    h("div", {}, link(href(["namespaces", namespace, "batches", job.jobId]), typeWords(job.operationType)), h("div.soft.small", {}, job.jobId)),
    job.reason || "–",
    progressBar(job),
    ago(job.startTime),
    when(job.closeTime),
    isRunning(job) ? h("button.danger", { type: "button", "data-key": `stop ${job.jobId}`, onclick: () => openStop(namespace, job.jobId, again) }, "Stop") : "",
  ]);
  return simpleTable("Batch operations", ["State", "Operation", "Reason", "Progress", "Started", "Closed", "Action"], rows);
}
