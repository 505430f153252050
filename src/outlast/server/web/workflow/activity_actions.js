/** What can be done to a pending activity: pause, unpause, reset. */

import { IDENTITY, call } from "../api.js";
import { choice, field, openForm } from "../dialog.js";
import { h } from "../dom.js";
import { notice } from "../notices.js";

/** @param {import("./run_view.js").RunView} view @param {object} activity a PendingActivityInfo */
export function activityButtons(view, activity) {
  const button = (name, open) => h("button", { type: "button", onclick: () => open(view, activity) }, name);
  return h("div.card-actions", {}, activity.paused ? button("Unpause", openUnpause) : button("Pause", openPause), button("Reset attempts", openReset));
}

function target({ run }, { activityId }) {
  return { execution: { workflowId: run.workflowId, runId: run.runId }, id: activityId, identity: IDENTITY };
}

function openPause(view, activity) {
  const reason = h("input", { type: "text", autocomplete: "off" });
  openForm({
    title: `Pause ${activity.activityType?.name}`,
    text: "It is not tried again until it is unpaused. An attempt under way may finish.",
    fields: [field("Reason", reason)],
    action: "Pause",
    submit: async () => {
      await call("PauseActivity", { namespace: view.run.namespace }, { body: { ...target(view, activity), reason: reason.value } });
      notice("The activity is paused.");
    },
  });
}

function openUnpause(view, activity) {
  const attempts = h("input", { type: "checkbox" });
  openForm({
    title: `Unpause ${activity.activityType?.name}`,
    text: "It is tried again.",
    fields: [choice("Count attempts from one", attempts)],
    action: "Unpause",
    submit: async () => {
      await call("UnpauseActivity", { namespace: view.run.namespace }, { body: { ...target(view, activity), resetAttempts: attempts.checked } });
      notice("The activity goes on.");
    },
  });
}

function openReset(view, activity) {
  const heartbeat = h("input", { type: "checkbox" });
  openForm({
    title: `Reset ${activity.activityType?.name}`,
    text: "Its attempts are counted from one, and the next one comes at once.",
    fields: [choice("Forget its heartbeat details", heartbeat)],
    action: "Reset attempts",
    submit: async () => {
      await call("ResetActivity", { namespace: view.run.namespace }, { body: { ...target(view, activity), resetHeartbeat: heartbeat.checked } });
      notice("The activity begins again.");
    },
  });
}
