/** The summary: input, result or failure, and what is fixed about a run. */

import { h, link, replace } from "../dom.js";
import { facts, when } from "../facts.js";
import { failureNode } from "../failures.js";
import { length, number, seconds, size, words } from "../format.js";
import { readFields, readPayload } from "../payloads.js";
import { markdown } from "../markdown.js";
import { href } from "../router.js";
import { copyButton, payloadsNode, valueNode } from "../values.js";
import { attributesOf, typeName } from "./events.js";
import { metadata } from "./metadata.js";

/** @param {import("./run_view.js").RunView} view @param {AbortSignal} signal */
export function summaryTab(view, signal) {
  const node = h("div.stack");
  const current = currentDetails(view, signal);
  let shown = "";
  function update() {
    current.update();
    const started = view.events.first;
    const closed = view.running ? null : view.events.closing;
    // Made anew only when something changed: what the user opened or marked stays.
    const state = JSON.stringify([view.description, Boolean(started), closed?.eventId]);
    if (state === shown) return;
    shown = state;
    node.replaceChildren(current.node, h("div.pair", {}, inputCard(started), resultCard(view, closed)), detailsCard(view, started), ...fieldCards(view));
  }
  return { node, update };
}

/** What the code says of itself at the moment; asked again when the workflow has got on, where somebody can answer. */
function currentDetails(view, signal) {
  const node = h("div.current-details");
  let asked = "";
  async function ask() {
    try {
      const { currentDetails: text } = await metadata(view.run, signal);
      replace(node, text ? h("section.card", {}, h("h2", {}, "At the moment"), markdown(text)) : null);
    } catch {
      // Without an answer nothing is said: the queries' page tells why there is none.
      replace(node);
    }
  }
  function update() {
    if (!view.running) return void replace(node);
    if (view.offline || view.blocked || view.deserted || view.paused || view.description.pendingWorkflowTask || asked === view.info.historyLength) return;
    asked = view.info.historyLength;
    void ask();
  }
  return { node, update };
}

function inputCard(started) {
  return h("section.card", {}, h("h2", {}, "Input"), started ? payloadsNode(attributesOf(started).input, "input", "No input") : h("p.nothing", {}, "Loading …"));
}

function resultCard(view, closed) {
  const card = (title, ...content) => h("section.card", {}, h("h2", {}, title), content);
  if (view.running) return card("Result", h("p.nothing", {}, `Not yet: the workflow is ${view.paused ? "paused" : "running"}.`));
  if (!closed) return card("Result", h("p.nothing", {}, "Loading …"));
  const [type, attributes] = [typeName(closed), attributesOf(closed)];
  if (attributes.failure) return card("Failure", failureNode(attributes.failure));
  if (type === "WorkflowExecutionContinuedAsNew") {
    const next = href(["namespaces", view.run.namespace, "workflows", view.run.workflowId, attributes.newExecutionRunId]);
    return card("Continued as new", h("p", {}, link(next, "Go to the next run")), payloadsNode(attributes.input, "input", "Without input"));
  }
  if (type === "WorkflowExecutionTerminated") return card("Terminated", h("p", {}, attributes.reason || "No reason was given."), attributes.identity ? h("p.soft", {}, `by ${attributes.identity}`) : null, attributes.details ? payloadsNode(attributes.details, "details") : null);
  if (type === "WorkflowExecutionTimedOut") return card("Timed out", h("p", {}, "It was still running when its time was over."), h("p.soft", {}, words(attributes.retryState, "RETRY_STATE_")));
  if (type === "WorkflowExecutionCanceled") return card("Cancelled", payloadsNode(attributes.details, "details", "Without details"));
  return card("Result", payloadsNode(attributes.result, "result", "No result"));
}

function detailsCard(view, started) {
  const { info, description } = view;
  const config = description.executionConfig ?? {};
  const extended = description.workflowExtendedInfo ?? {};
  const begun = started ? attributesOf(started) : {};
  const timeout = (value) => (seconds(value) ? length(seconds(value)) : null);
  return h(
    "section.card",
    {},
    h("h2", {}, "Details"),
    facts(
      ["Run id", h("span", {}, h("code", {}, view.run.runId), copyButton(view.run.runId, "run id"))],
      ["Started", when(info.startTime)],
      ["Closed", info.closeTime ? when(info.closeTime) : null],
      ["History", `${number(info.historyLength)} events, ${size(info.historySizeBytes)}`],
      ["State transitions", number(info.stateTransitionCount)],
      ["Attempt", begun.attempt > 1 ? begun.attempt : null],
      ["Cron schedule", begun.cronSchedule || null],
      ["Execution timeout", timeout(config.workflowExecutionTimeout)],
      ["Run timeout", timeout(config.workflowRunTimeout)],
      ["Task timeout", timeout(config.defaultWorkflowTaskTimeout)],
      ["Ends at the latest", extended.runExpirationTime ? when(extended.runExpirationTime) : null],
      ["Started by", begun.identity || null],
      ["First run", info.firstRunId && info.firstRunId !== view.run.runId ? link(href(["namespaces", view.run.namespace, "workflows", view.run.workflowId, info.firstRunId]), info.firstRunId) : null],
    ),
  );
}

function fieldCards({ info, description }) {
  const metadata = description.executionConfig?.userMetadata ?? {};
  const texts = [["Summary", metadata.summary], ["Details", metadata.details]].filter(([, payload]) => payload);
  return [
    texts.length ? h("section.card", {}, h("h2", {}, "About this workflow"), texts.map(([, payload]) => markdown(textOf(payload)))) : null,
    fieldsCard("Memo", info.memo?.fields),
    fieldsCard("Search attributes", info.searchAttributes?.indexedFields),
  ].filter(Boolean);
}

function textOf(payload) {
  const { json, text } = readPayload(payload);
  return typeof json === "string" ? json : text;
}

function fieldsCard(title, map) {
  const fields = readFields(map);
  if (!fields.length) return null;
  return h("section.card", {}, h("h2", {}, title), h("dl.fields", {}, fields.map(([name, value]) => [h("dt", {}, name), h("dd", {}, valueNode(value, name))])));
}
