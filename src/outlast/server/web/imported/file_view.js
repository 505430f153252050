/** A run as a file tells of it: its events, and the description that follows from them. */

import { settings } from "../settings.js";
import { attributesOf, typeName } from "../workflow/events.js";
import { RunView } from "../workflow/run_view.js";

/** Type of the last event -> status. */
const STATUSES = {
  WorkflowExecutionCompleted: "COMPLETED",
  WorkflowExecutionFailed: "FAILED",
  WorkflowExecutionTimedOut: "TIMED_OUT",
  WorkflowExecutionCanceled: "CANCELED",
  WorkflowExecutionTerminated: "TERMINATED",
  WorkflowExecutionContinuedAsNew: "CONTINUED_AS_NEW",
};

export class FileView extends RunView {
  /** @param {object[]} events as `readEvents` answers them @param {string} name of the file */
  constructor(events, name) {
    const started = attributesOf(events[0]);
    super({ namespace: settings.namespace, workflowId: started.workflowId || name, runId: started.originalExecutionRunId || "" });
    this.offline = true;
    const last = events.at(-1);
    const status = STATUSES[typeName(last)];
    Object.assign(this.events, { all: events, complete: true, first: events[0], closing: status ? last : null });
    this.description = {
      workflowExecutionInfo: {
        type: started.workflowType,
        taskQueue: started.taskQueue?.name,
        startTime: events[0].eventTime,
        closeTime: status ? last.eventTime : null,
        status: `WORKFLOW_EXECUTION_STATUS_${status ?? "RUNNING"}`,
        historyLength: String(events.length),
        memo: started.memo,
        searchAttributes: started.searchAttributes,
        parentExecution: started.parentWorkflowExecution,
      },
      executionConfig: { workflowExecutionTimeout: started.workflowExecutionTimeout, workflowRunTimeout: started.workflowRunTimeout, defaultWorkflowTaskTimeout: started.workflowTaskTimeout, userMetadata: events[0].userMetadata },
    };
    this.regroup();
  }
}

/**
 * The events of a history in JSON: of this page's download, of Temporal's UI, or of `temporal workflow show`.
 *
 * @returns {object[]}
 * @throws {Error} it is none
 */
export function readEvents(text) {
  let given;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw new Error(`It is not JSON: ${error.message}.`);
  }
  const events = Array.isArray(given) ? given : given?.events ?? given?.history?.events;
  if (!Array.isArray(events) || !events.length) throw new Error("It has no events: a history is an object with the list “events”.");
  const read = events.map(readEvent);
  if (typeName(read[0]) !== "WorkflowExecutionStarted") throw new Error(`Its first event is ${typeName(read[0])}; a history begins with WorkflowExecutionStarted.`);
  return read;
}

function readEvent(event, at) {
  const type = event?.eventType;
  if (typeof type !== "string") throw new Error(`Entry ${at + 1} is no event: it has no “eventType”.`);
  // Older tools write "TimerStarted" for "EVENT_TYPE_TIMER_STARTED".
  const name = type.startsWith("EVENT_TYPE_") ? type : `EVENT_TYPE_${type.replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase()}`;
  return { ...event, eventType: name, eventId: String(event.eventId ?? at + 1) };
}
