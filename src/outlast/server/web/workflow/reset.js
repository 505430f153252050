/** The form that resets a run: to which event, why, and what of the later signals and updates to leave out. */

import { call } from "../api.js";
import { choice, field, openForm } from "../dialog.js";
import { h } from "../dom.js";
import { fullTime } from "../format.js";
import { go, href } from "../router.js";
import { uuid } from "../uuid.js";
import { typeName } from "./events.js";
import { spaced } from "./groups.js";

const POINTS = new Set(["WorkflowTaskCompleted", "WorkflowTaskFailed", "WorkflowTaskTimedOut"]);
const OFFERED = 200;

/** Open it when the events to choose from are there. @param {import("./run_view.js").RunView} view */
export async function openReset(view) {
  await view.loadEvents(undefined, () => {});
  const points = view.events.all.filter((event) => POINTS.has(typeName(event)));
  // The first and the latest are those that are wanted; the rest of a long history stays out of the menu.
  const offered = points.length > OFFERED ? [points[0], ...points.slice(1 - OFFERED)] : points;
  const event = h("select", { required: true }, offered.map((each) => h("option", { value: each.eventId }, `${each.eventId} · ${spaced(typeName(each))} · ${fullTime(each.eventTime)}`)).reverse());
  const reason = h("input", { type: "text", autocomplete: "off" });
  const signals = h("input", { type: "checkbox", checked: true });
  const updates = h("input", { type: "checkbox", checked: true });
  openForm({
    title: "Reset this workflow",
    text: offered.length
      ? "A new run takes over the history up to an event and goes on from there. This run is terminated if it is still running."
      : "There is no event to reset to yet: a worker has to complete or fail a workflow task first. Start a worker and open this form again.",
    fields: offered.length ? [field("Reset to", event, "A finished turn of the workflow's code."), field("Reason", reason), choice("Apply later signals again", signals), choice("Apply later updates again", updates)] : [],
    action: "Reset",
    submit: async () => {
      if (!offered.length) throw new Error("There is no event to reset to yet.");
      const excluded = [[signals, "SIGNAL"], [updates, "UPDATE"]].filter(([box]) => !box.checked).map(([, name]) => `RESET_REAPPLY_EXCLUDE_TYPE_${name}`);
      const { namespace, workflowId, runId } = view.run;
      const body = { workflowExecution: { workflowId, runId }, reason: reason.value || "Reset from the web UI", workflowTaskFinishEventId: event.value, requestId: uuid(), resetReapplyExcludeTypes: excluded };
      const answer = await call("ResetWorkflowExecution", { namespace, "workflow_execution.workflow_id": workflowId }, { body });
      go(href(["namespaces", namespace, "workflows", workflowId, answer.runId]));
    },
  });
}
