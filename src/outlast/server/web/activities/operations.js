/** What can be done to a standalone activity. */

import { IDENTITY, call } from "../api.js";
import { choice, field, openForm } from "../dialog.js";
import { h } from "../dom.js";
import { notice } from "../notices.js";
import { go, href } from "../router.js";
import { uuid } from "../uuid.js";

/**
 * The buttons of an activity.
 *
 * @param {{namespace: string, activityId: string, runId: string}} run
 * @param {{open: boolean, paused: boolean}} state
 * @param {() => void} changed
 */
export function activityButtons(run, { open, paused }, changed) {
  const button = (name, act, tag = "button") => h(tag, { type: "button", onclick: () => act(run, changed) }, name);
  if (!open) return [button("Delete", openDelete, "button.danger")];
  return [
    paused ? button("Unpause", openUnpause) : button("Pause", openPause),
    button("Reset attempts", openReset),
    button("Cancel", openCancel),
    button("Terminate", openTerminate, "button.danger"),
    button("Delete", openDelete, "button.danger"),
  ];
}

function ask({ title, text, action, danger = false, fields = [], send, body, done, run: { namespace, activityId, runId }, changed }) {
  const reason = h("input", { type: "text", autocomplete: "off" });
  openForm({
    title,
    text,
    danger,
    action,
    fields: fields.length ? fields : [field("Reason", reason)],
    submit: async () => {
      await send({ namespace, activity_id: activityId }, { body: { runId, identity: IDENTITY, requestId: uuid(), ...(body ? body() : { reason: reason.value }) } });
      notice(done);
      changed();
    },
  });
}

function openPause(run, changed) {
  ask({ run, changed, send: (to, options) => call("PauseActivityExecution", to, options), title: "Pause this activity", text: "It is not tried again until it is unpaused. An attempt under way may finish.", action: "Pause", done: "The activity is paused." });
}

function openUnpause(run, changed) {
  ask({ run, changed, send: (to, options) => call("UnpauseActivityExecution", to, options), title: "Unpause this activity", text: "It is tried again.", action: "Unpause", done: "The activity goes on." });
}

function openReset(run, changed) {
  const [heartbeat, paused] = [h("input", { type: "checkbox" }), h("input", { type: "checkbox" })];
  ask({
    run,
    changed,
    send: (to, options) => call("ResetActivityExecution", to, options),
    title: "Reset this activity",
    text: "Its attempts are counted from one, and the next one comes at once.",
    action: "Reset attempts",
    fields: [choice("Forget its heartbeat details", heartbeat), choice("Leave it paused if it is", paused)],
    body: () => ({ resetHeartbeat: heartbeat.checked, keepPaused: paused.checked }),
    done: "The activity begins again.",
  });
}

function openCancel(run, changed) {
  ask({ run, changed, send: (to, options) => call("RequestCancelActivityExecution", to, options), title: "Cancel this activity?", text: "Its code is told with its next heartbeat, may clean up, and decides how it ends.", action: "Request cancellation", done: "Cancellation is requested." });
}

function openTerminate(run, changed) {
  ask({ run, changed, send: (to, options) => call("TerminateActivityExecution", to, options), title: "Terminate this activity?", text: "It ends at once; whatever its attempt answers is not wanted any more.", action: "Terminate", danger: true, done: "The activity is terminated." });
}

function openDelete({ namespace, activityId, runId }) {
  openForm({
    title: "Delete this activity?",
    text: "It disappears from lists with its outcome; if it runs, it ends. This cannot be undone.",
    action: "Delete",
    danger: true,
    submit: async () => {
      await call("DeleteActivityExecution", {}, { body: { namespace, activityId, runId } });
      notice(`Activity ${activityId} is deleted.`);
      go(href(["namespaces", namespace, "activities"]));
    },
  });
}
