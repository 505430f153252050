/** What can be done to a run: signal, update, pause, cancel, terminate, reset; and starting one like it. */

import { IDENTITY, call } from "../api.js";
import { ARGUMENTS_HINT, argumentsInput, field, openForm, readArguments } from "../dialog.js";
import { h } from "../dom.js";
import { failureNode } from "../failures.js";
import { complain, notice } from "../notices.js";
import { likeness, openStart } from "../start.js";
import { payloadsNode } from "../values.js";
import { uuid } from "../uuid.js";
import { attributesOf } from "./events.js";
import { metadata } from "./metadata.js";
import { nameField } from "./name_field.js";
import { openPause, openUnpause } from "./pause.js";
import { openReset } from "./reset.js";

/**
 * The buttons of a run.
 *
 * @param {import("./run_view.js").RunView} view
 * @param {() => void} changed called after something was done
 */
export function actionButtons(view, changed) {
  const button = (name, open, tag = "button") =>
    h(tag, { type: "button", onclick: () => void Promise.resolve(open(view, changed)).catch((error) => complain(error.message)) }, name);
  const end = [button("Reset", openReset), button("Start like this", startAlike)];
  if (!view.running) return end;
  // A paused workflow answers no update.
  const talk = view.paused ? [button("Signal", openSignal), button("Unpause", openUnpause)] : [button("Signal", openSignal), button("Update", openUpdate), button("Pause", openPause)];
  return [...talk, button("Cancel", openCancel), button("Terminate", openTerminate, "button.danger"), ...end];
}

function target(view) {
  return { namespace: view.run.namespace, "workflow_execution.workflow_id": view.run.workflowId };
}

function named(view) {
  return { workflowId: view.run.workflowId, runId: view.run.runId };
}

async function suggest(names, view, which) {
  try {
    names.suggest((await metadata(view.run))[which]);
  } catch (error) {
    names.suggest([], `Its code could not be asked: ${error.message}`);
  }
}

function openSignal(view, changed) {
  const names = nameField("Signal", "approve");
  const input = argumentsInput();
  openForm({
    title: "Send a signal",
    fields: [names.node, field("Input", input, ARGUMENTS_HINT)],
    action: "Send signal",
    submit: async () => {
      const body = { workflowExecution: named(view), input: readArguments(input.value), identity: IDENTITY, requestId: uuid() };
      await call("SignalWorkflowExecution", { ...target(view), signal_name: names.input.value }, { body });
      notice(`Signal ${names.input.value} is sent.`);
      changed();
    },
  });
  void suggest(names, view, "signals");
}

function openUpdate(view, changed) {
  const names = nameField("Update", "set_address");
  const input = argumentsInput();
  openForm({
    title: "Run an update",
    text: "Waits until the workflow has handled it, and shows what it answers.",
    fields: [names.node, field("Input", input, ARGUMENTS_HINT)],
    action: "Run update",
    submit: async () => {
      const name = names.input.value;
      const request = { meta: { updateId: uuid(), identity: IDENTITY }, input: { name, args: readArguments(input.value) } };
      const body = { workflowExecution: named(view), request, waitPolicy: { lifecycleStage: "UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED" } };
      const { outcome } = await call("UpdateWorkflowExecution", { ...target(view), "request.input.name": name }, { body });
      changed();
      if (!outcome) return h("p.nothing", {}, "The workflow has the update, but has not finished it yet.");
      return outcome.failure ? failureNode(outcome.failure) : h("div", {}, h("h3", {}, "Answer"), payloadsNode(outcome.success, "answer", "It answered nothing"));
    },
  });
  void suggest(names, view, "updates");
}

function openCancel(view, changed) {
  const reason = h("input", { type: "text", autocomplete: "off" });
  openForm({
    title: "Cancel this workflow?",
    text: "Its code is told, may clean up, and decides when it ends.",
    fields: [field("Reason", reason)],
    action: "Request cancellation",
    submit: async () => {
      await call("RequestCancelWorkflowExecution", target(view), { body: { workflowExecution: named(view), reason: reason.value, identity: IDENTITY, requestId: uuid() } });
      notice("Cancellation is requested.");
      changed();
    },
  });
}

function openTerminate(view, changed) {
  const reason = h("input", { type: "text", autocomplete: "off" });
  openForm({
    title: "Terminate this workflow?",
    text: "It ends at once. Its code is not told and cannot clean up.",
    fields: [field("Reason", reason, "Kept in the history.")],
    action: "Terminate",
    danger: true,
    submit: async () => {
      await call("TerminateWorkflowExecution", target(view), { body: { workflowExecution: named(view), reason: reason.value, identity: IDENTITY } });
      notice("The workflow is terminated.");
      changed();
    },
  });
}

async function startAlike(view) {
  await view.events.ends(false);
  openStart(view.run.namespace, likeness(view.info, attributesOf(view.events.first), view.description.executionConfig?.userMetadata));
}
