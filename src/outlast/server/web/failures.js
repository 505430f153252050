/** Failures: the chain from what was seen to what caused it, each with its stack trace. */

import { h, link } from "./dom.js";
import { facts } from "./facts.js";
import { count, words } from "./format.js";
import { href } from "./router.js";
import { longText, payloadsNode } from "./values.js";

const SDK_FRAME = /^\s*File "[^"]*\/(?:outlast|temporalio)\/(?:replay|worker|workflow|loop)\b/;

/** What a kind of failure tells: its name, and pairs of facts. */
const KINDS = {
  applicationFailureInfo: (info) => ["Application failure", [["Retries", info.nonRetryable ? "Not retryable" : null]], info.details],
  timeoutFailureInfo: (info) => ["Timeout", [["Kind", words(info.timeoutType, "TIMEOUT_TYPE_")]], info.lastHeartbeatDetails],
  canceledFailureInfo: (info) => ["Cancelled", [], info.details],
  terminatedFailureInfo: () => ["Terminated", []],
  serverFailureInfo: (info) => ["Server failure", [["Retries", info.nonRetryable ? "Not retryable" : null]]],
  resetWorkflowFailureInfo: () => ["Reset", []],
  activityFailureInfo: (info) => [
    "Activity failed",
    [["Activity", info.activityType?.name], ["Activity id", info.activityId], ["Retries", info.retryState ? words(info.retryState, "RETRY_STATE_") : null], ["Worker", info.identity]],
  ],
  childWorkflowExecutionFailureInfo: (info) => [
    "Child workflow failed",
    [["Type", info.workflowType?.name], ["Workflow", childLink(info)], ["Retries", info.retryState ? words(info.retryState, "RETRY_STATE_") : null]],
  ],
};

function childLink(info) {
  const { workflowId, runId } = info.workflowExecution ?? {};
  return workflowId ? link(href(["namespaces", info.namespace || "default", "workflows", workflowId, runId]), workflowId) : null;
}

/** A failure and its causes. */
export function failureNode(failure) {
  const kind = Object.keys(KINDS).find((key) => failure[key]);
  const [name, pairs, details] = kind ? KINDS[kind](failure[kind]) : ["Failure", []];
  const shown = pairs.filter(([, value]) => value);
  return h(
    "div.failure",
    {},
    h("p.failure-message", {}, h("strong", {}, failure.applicationFailureInfo?.type || name), failure.message ? `: ${failure.message}` : ""),
    shown.length ? facts(...shown) : null,
    details ? h("div.values", {}, h("h3", {}, "Details"), payloadsNode(details, "details")) : null,
    failure.stackTrace ? traceNode(failure.stackTrace) : null,
    failure.cause ? h("div.cause", {}, h("p.cause-label", {}, "caused by"), failureNode(failure.cause)) : null,
  );
}

/** A stack trace; the SDK's own frames, which come first and tell nothing, are folded away. */
export function traceNode(text) {
  const frames = text.split(/^(?=[ \t]*File ")/m);
  const own = frames.findIndex((frame) => !SDK_FRAME.test(frame));
  const whole = (part) => longText(part.replace(/^\n+|\s+$/g, ""), { name: "stack-trace", tag: "pre.trace" });
  if (own <= 0) return whole(text);
  const folded = h("details", {}, h("summary", {}, `${count(own, "frame")} of the SDK`), whole(frames.slice(0, own).join("")));
  return h("div.traces", {}, folded, whole(frames.slice(own).join("")));
}

/** The message at the end of the chain, which says what really happened. */
export function rootMessage(failure) {
  let each = failure;
  while (each?.cause) each = each.cause;
  return each?.message ?? "";
}
