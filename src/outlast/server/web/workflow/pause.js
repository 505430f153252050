/** Pausing a run and letting it go on. */

import { IDENTITY, call } from "../api.js";
import { field, openForm } from "../dialog.js";
import { h } from "../dom.js";
import { notice } from "../notices.js";
import { uuid } from "../uuid.js";

/** @param {import("./run_view.js").RunView} view @param {() => void} changed called after it was paused */
export function openPause(view, changed) {
  const reason = reasonInput();
  openForm({
    title: "Pause this workflow?",
    text: "Its code gets no work and its activities are not started, until it is unpaused. What is under way may finish; signals and results wait; timers and timeouts go on.",
    fields: [field("Reason", reason, "Kept in the history.")],
    action: "Pause",
    submit: async () => {
      await call("PauseWorkflowExecution", target(view), { body: { ...asked(view), reason: reason.value } });
      notice("The workflow is paused.");
      changed();
    },
  });
}

/** @param {import("./run_view.js").RunView} view @param {() => void} changed called after it goes on */
export function openUnpause(view, changed) {
  const reason = reasonInput();
  openForm({
    title: "Unpause this workflow?",
    text: "It goes on with all that has come meanwhile.",
    fields: [field("Reason", reason, "Kept in the history.")],
    action: "Unpause",
    submit: async () => {
      await call("UnpauseWorkflowExecution", target(view), { body: { ...asked(view), reason: reason.value } });
      notice("The workflow goes on.");
      changed();
    },
  });
}

function reasonInput() {
  return h("input", { type: "text", autocomplete: "off" });
}

function target({ run }) {
  return { namespace: run.namespace, workflow_id: run.workflowId };
}

function asked({ run }) {
  return { runId: run.runId, identity: IDENTITY, requestId: uuid() };
}
