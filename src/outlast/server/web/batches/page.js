/** One batch operation: how far it is, what it does, and to which workflows. */

import { call } from "../api.js";
import { h, link, replace } from "../dom.js";
import { facts, when } from "../facts.js";
import { count, instant, length, number } from "../format.js";
import { live } from "../live.js";
import { href } from "../router.js";
import { empty, loading } from "../states.js";
import { copyButton } from "../values.js";
import { isRunning, openStop, progressBar, progressOf, stateChip, typeWords } from "./operations.js";

const REFRESH_MS = 1000;
const NAMED_SHOWN = 200;

/** @type {import("../router.js").Page} */
export function batchPage(root, { namespace, jobId }, signal) {
  document.title = `Batch operation · ${namespace} · Outlast`;
  const title = h("h1", {}, "Batch operation");
  const state = h("span.head-status");
  const actions = h("div.head-end");
  const place = h("div.stack", {}, loading("Loading the batch operation"));
  let ended = false;
  root.append(
    h("nav.crumbs", { "aria-label": "Where you are" }, link(href(["namespaces", namespace, "batches"]), "Batch operations")),
    h("div.head", {}, title, state, actions),
    place,
  );
  const again = live(place, load, REFRESH_MS, signal);

  async function load() {
    if (ended) return null;
    try {
      const job = await call("DescribeBatchOperation", { namespace, job_id: jobId }, { signal });
      ended = !isRunning(job);
      title.textContent = `${typeWords(job.operationType)}: ${count(progressOf(job).total, "workflow")}`;
      replace(state, stateChip(job));
      if (ended) replace(actions);
      else if (!actions.firstChild) replace(actions, h("button.danger", { type: "button", onclick: () => openStop(namespace, jobId, again) }, "Stop"));
      return [progressCard(job), aboutCard(job), targetsCard(namespace, job)];
    } catch (error) {
      if (!error.notFound) throw error;
      ended = true;
      return empty("There is no such batch operation", `The namespace ${namespace} has none with the id ${jobId}.`, link(href(["namespaces", namespace, "batches"]), "Look at all batch operations", { class: "button" }));
    }
  }
}

function progressCard(job) {
  const { total, done, bad } = progressOf(job);
  return h("section.card", {}, h("h2", {}, "Progress"), progressBar(job), facts(["Done", number(done)], ["Failed", number(bad)], ["To do", number(Math.max(0, total - done - bad))]));
}

function aboutCard(job) {
  const [from, to] = [instant(job.startTime), instant(job.closeTime)];
  return h(
    "section.card",
    {},
    h("h2", {}, "Details"),
    facts(
      ["Operation", typeWords(job.operationType)],
      ["Reason", job.reason],
      ["Started", when(job.startTime)],
      ["Closed", job.closeTime ? when(job.closeTime) : null],
      ["Took", from !== null && to !== null ? length((to - from) / 1000) : null],
      ["Started by", job.identity],
      ["Job id", h("span", {}, h("code", {}, job.jobId), copyButton(job.jobId, "job id"))],
    ),
  );
}

function targetsCard(namespace, job) {
  const workflows = ["namespaces", namespace, "workflows"];
  if (job.query) {
    return h("section.card", {}, h("div.card-head", {}, h("h2", {}, "Workflows that matched"), link(href(workflows, { query: job.query }), "Look at them", { class: "button" })), h("pre.value", { tabindex: 0 }, job.query));
  }
  const named = job.executions ?? [];
  if (!named.length) return null;
  return h(
    "section.card",
    {},
    h("h2", {}, "Workflows that were chosen"),
    h("ul.plain", {}, named.slice(0, NAMED_SHOWN).map((each) => h("li", {}, link(href([...workflows, each.businessId, each.runId].filter(Boolean)), each.businessId)))),
    named.length > NAMED_SHOWN ? h("p.soft", {}, `The first ${number(NAMED_SHOWN)} of ${number(named.length)}.`) : null,
  );
}
