/**
 * Events that belong together: an activity is scheduled, started and completed by three events, which are one thing.
 *
 * Rule of the place: how events belong together is one table, by the name of the event's type.
 */

import { instant, length, seconds } from "../format.js";
import { attributesOf, typeName } from "./events.js";

/**
 * @typedef {object} Group
 * @property {string} kind activity, timer, child, signal, update, external, marker, task, workflow
 * @property {string} name what it is called
 * @property {object[]} events
 * @property {string} status of statuses.js, or "waiting"
 * @property {number} from ms since the epoch
 * @property {number|null} startedAt when it began after waiting
 * @property {number|null} to null as long as it is open
 * @property {number} attempt
 * @property {object|null} failure
 */

const waited = (text) => length(seconds(text));

/** Type of event that begins a group -> kind, and what it is called. */
const BEGINS = {
  ActivityTaskScheduled: ["activity", (a) => a.activityType?.name],
  TimerStarted: ["timer", (a) => waited(a.startToFireTimeout)],
  StartChildWorkflowExecutionInitiated: ["child", (a) => `${a.workflowType?.name}: ${a.workflowId}`],
  SignalExternalWorkflowExecutionInitiated: ["external", (a) => `Signal ${a.signalName} to ${a.workflowExecution?.workflowId}`],
  RequestCancelExternalWorkflowExecutionInitiated: ["external", (a) => `Cancel ${a.workflowExecution?.workflowId}`],
  WorkflowExecutionUpdateAccepted: ["update", (a) => a.acceptedRequest?.input?.name ?? a.protocolInstanceId],
  NexusOperationScheduled: ["external", (a) => `${a.service}.${a.operation}`],
};

/** Field that says with which event a group began. */
const LINKS = ["scheduledEventId", "startedEventId", "initiatedEventId", "acceptedEventId"];

/** Type of event -> [status, whether it closes the group]. */
const ENDS = {
  ActivityTaskStarted: ["running", false],
  ActivityTaskCompleted: ["completed", true],
  ActivityTaskFailed: ["failed", true],
  ActivityTaskTimedOut: ["timed-out", true],
  ActivityTaskCanceled: ["canceled", true],
  TimerFired: ["completed", true],
  TimerCanceled: ["canceled", true],
  StartChildWorkflowExecutionFailed: ["failed", true],
  ChildWorkflowExecutionStarted: ["running", false],
  ChildWorkflowExecutionCompleted: ["completed", true],
  ChildWorkflowExecutionFailed: ["failed", true],
  ChildWorkflowExecutionCanceled: ["canceled", true],
  ChildWorkflowExecutionTimedOut: ["timed-out", true],
  ChildWorkflowExecutionTerminated: ["terminated", true],
  SignalExternalWorkflowExecutionFailed: ["failed", true],
  ExternalWorkflowExecutionSignaled: ["completed", true],
  RequestCancelExternalWorkflowExecutionFailed: ["failed", true],
  ExternalWorkflowExecutionCancelRequested: ["completed", true],
  WorkflowExecutionUpdateCompleted: ["completed", true],
  NexusOperationStarted: ["running", false],
  NexusOperationCompleted: ["completed", true],
  NexusOperationFailed: ["failed", true],
  NexusOperationCanceled: ["canceled", true],
  NexusOperationTimedOut: ["timed-out", true],
};

/** Events that stand alone -> kind, name, status. */
const ALONE = {
  WorkflowExecutionSignaled: (a) => ["signal", a.signalName, "signal"],
  MarkerRecorded: (a) => ["marker", a.markerName, "unspecified"],
  WorkflowTaskFailed: (a) => ["task", `Workflow task failed: ${a.failure?.message ?? ""}`, "failed"],
  WorkflowTaskTimedOut: () => ["task", "Workflow task timed out", "timed-out"],
  WorkflowExecutionStarted: (a) => ["workflow", `Started: ${a.workflowType?.name}`, "running"],
  WorkflowExecutionCompleted: () => ["workflow", "Completed", "completed"],
  WorkflowExecutionFailed: () => ["workflow", "Failed", "failed"],
  WorkflowExecutionTimedOut: () => ["workflow", "Timed out", "timed-out"],
  WorkflowExecutionCanceled: () => ["workflow", "Cancelled", "canceled"],
  WorkflowExecutionTerminated: (a) => ["workflow", `Terminated${a.reason ? `: ${a.reason}` : ""}`, "terminated"],
  WorkflowExecutionContinuedAsNew: () => ["workflow", "Continued as new", "continued-as-new"],
  WorkflowExecutionCancelRequested: () => ["workflow", "Cancellation requested", "canceled"],
};

/** Turns of the workflow's code, which are left out of what is compact unless they went wrong. */
const TURNS = new Set(["WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted"]);

/** The groups of a history that grows, in the order in which they began. */
export class Groups {
  constructor() {
    /** @type {Group[]} */
    this.all = [];
    this.begun = new Map();
    this.seen = 0;
  }

  /** Take in what a history has more than before. @param {object[]} events the whole history */
  follow(events) {
    for (; this.seen < events.length; this.seen += 1) this.add(events[this.seen]);
  }

  add(event) {
    const type = typeName(event);
    if (TURNS.has(type)) return;
    const attributes = attributesOf(event);
    const id = ENDS[type] && LINKS.map((name) => attributes[name]).find((each) => this.begun.has(each));
    if (id) return void proceed(this.begun.get(id), event, type, attributes);
    const added = begin(event, type, attributes);
    this.all.push(added);
    if (BEGINS[type]) this.begun.set(event.eventId, added);
  }
}

function begin(event, type, attributes) {
  const at = instant(event.eventTime);
  const common = { events: [event], from: at, startedAt: null, attempt: 0, failure: attributes.failure ?? null };
  if (BEGINS[type]) {
    const [kind, name] = BEGINS[type];
    return { ...common, kind, name: name(attributes) || type, status: "waiting", to: null };
  }
  const [kind, name, status] = ALONE[type]?.(attributes) ?? ["workflow", spaced(type), "unspecified"];
  return { ...common, kind, name, status, to: at };
}

function proceed(mine, event, type, attributes) {
  const [status, closes] = ENDS[type];
  const at = instant(event.eventTime);
  mine.events.push(event);
  mine.status = status;
  mine.attempt = attributes.attempt ?? mine.attempt;
  mine.failure = attributes.failure ?? attributes.outcome?.failure ?? attributes.lastFailure ?? mine.failure;
  if (attributes.outcome?.failure) mine.status = "failed";
  if (closes) mine.to = at;
  else mine.startedAt = at;
}

/** "TimerStarted" -> "Timer started". */
export function spaced(type) {
  const text = type.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Add what is known of activities that have no started event yet: their attempts are not history. */
export function withPending(groups, pendingActivities) {
  const byId = new Map((pendingActivities ?? []).map((each) => [each.activityId, each]));
  for (const each of groups) {
    if (each.kind !== "activity" || each.to !== null) continue;
    const pending = byId.get(attributesOf(each.events[0]).activityId);
    if (!pending) continue;
    each.pending = pending;
    each.attempt = pending.attempt ?? 1;
    each.failure = pending.lastFailure ?? null;
    each.startedAt = instant(pending.lastStartedTime);
    if (pending.state !== "PENDING_ACTIVITY_STATE_SCHEDULED") each.status = "running";
    else if (each.attempt > 1) each.status = "retrying";
  }
  return groups;
}
