/** The form that starts a workflow. */

import { IDENTITY, call } from "../api.js";
import { ARGUMENTS_HINT, argumentsInput, field, openForm, readArguments } from "../dialog.js";
import { h } from "../dom.js";
import { go, href } from "../router.js";
import { uuid } from "../uuid.js";

/**
 * Open it.
 *
 * @param {{workflowId?: string, type?: string, queue?: string, input?: string}} [like] what to fill in
 */
export function openStart(namespace, like = {}) {
  const text = (value, placeholder) => h("input", { type: "text", required: true, autocomplete: "off", value: value ?? "", placeholder });
  const type = text(like.type, "OrderWorkflow");
  const queue = text(like.queue, "orders");
  const id = h("input", { type: "text", autocomplete: "off", value: like.workflowId ?? "" });
  const input = argumentsInput();
  input.value = like.input ?? "";
  openForm({
    title: "Start a workflow",
    fields: [
      field("Type", type, "The name under which a worker has registered it."),
      field("Task queue", queue, "The one that the worker polls."),
      field("Workflow id", id, "Empty: a random one."),
      field("Input", input, ARGUMENTS_HINT),
    ],
    action: "Start",
    submit: async () => {
      const workflow_id = id.value || uuid();
      const body = { workflowType: { name: type.value }, taskQueue: { name: queue.value }, input: readArguments(input.value), identity: IDENTITY, requestId: uuid() };
      const { runId } = await call("StartWorkflowExecution", { namespace, workflow_id }, { body });
      go(href(["namespaces", namespace, "workflows", workflow_id, runId]));
    },
  });
}
