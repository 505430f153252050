/** The form that starts a workflow. */

import { IDENTITY, call } from "./api.js";
import { ARGUMENTS_HINT, argumentsInput, field, more, openForm, readArguments, readObject } from "./dialog.js";
import { h } from "./dom.js";
import { length, seconds } from "./format.js";
import { readLength } from "./lengths.js";
import { plain, readPayloads } from "./payloads.js";
import { go, href } from "./router.js";
import { uuid } from "./uuid.js";

const REUSE = {
  "": "As the server does: allowed",
  WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY: "Allowed if the one before did not succeed",
  WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE: "Refused",
};
const CONFLICT = {
  "": "As the server does: refused",
  WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING: "The running one is shown instead",
  WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING: "The running one is terminated",
};

/**
 * What a workflow was started with, for the form.
 *
 * @param {object} info WorkflowExecutionInfo
 * @param {object} started attributes of its first event
 * @param {object} metadata UserMetadata
 */
export function likeness(info, started, metadata) {
  const values = readPayloads(started.input);
  const timeout = (value) => (seconds(value) ? length(seconds(value)).replaceAll(" ", "") : "");
  const object = (map) => (map ? JSON.stringify(Object.fromEntries(Object.entries(map).map(([name, payload]) => [name, plain(payload)])), null, 2) : "");
  return {
    type: info.type?.name,
    queue: info.taskQueue,
    input: values.map((value) => (values.length === 1 ? value.text : JSON.stringify(value.json))).join("\n"),
    memo: object(started.memo?.fields),
    attributes: object(started.searchAttributes?.indexedFields),
    executionTimeout: timeout(started.workflowExecutionTimeout),
    summary: metadata?.summary ? String(plain(metadata.summary)) : "",
    details: metadata?.details ? String(plain(metadata.details)) : "",
  };
}

/** Open it. @param {Partial<ReturnType<typeof likeness>> & {workflowId?: string}} [like] what to fill in */
export function openStart(namespace, like = {}) {
  const text = (value, options = {}) => h("input", { type: "text", autocomplete: "off", value: value ?? "", ...options });
  const json = (value, rows, placeholder) => h("textarea.code", { rows, spellcheck: "false", placeholder, value: value ?? "" });
  const choose = (options) => h("select", {}, Object.entries(options).map(([value, name]) => h("option", { value }, name)));
  const type = text(like.type, { required: true, placeholder: "OrderWorkflow" });
  const queue = text(like.queue, { required: true, placeholder: "orders" });
  const id = text(like.workflowId);
  const input = argumentsInput();
  input.value = like.input ?? "";
  const [summary, details] = [text(like.summary), json(like.details, 2, "What it is about. **Markdown** is shown.")];
  const [memo, attributes] = [json(like.memo, 2, '{"customer": "Ada"}'), json(like.attributes, 2, '{"CustomerId": "c-7"}')];
  const [delay, timeout] = [text("", { placeholder: "30 s, 5 m, 2 h" }), text(like.executionTimeout, { placeholder: "1 d" })];
  const [reuse, conflict] = [choose(REUSE), choose(CONFLICT)];
  openForm({
    title: "Start a workflow",
    fields: [
      field("Type", type, "The name under which a worker has registered it."),
      field("Task queue", queue, "The one that the worker polls."),
      field("Workflow id", id, "Empty: a random one."),
      field("Input", input, ARGUMENTS_HINT),
      more("More options", [
        field("Summary", summary, "One line, shown on its page."),
        field("Details", details),
        field("Search attributes", attributes, "A JSON object; the names have to be registered in the namespace."),
        field("Memo", memo, "A JSON object."),
        field("Start after", delay),
        field("End at the latest after", timeout, "Then it times out, with its retries and continued runs."),
        field("When the id has been used", reuse),
        field("When the id is running", conflict),
      ]),
    ],
    action: "Start",
    submit: async () => {
      const workflow_id = id.value || uuid();
      const body = {
        workflowType: { name: type.value },
        taskQueue: { name: queue.value },
        input: readArguments(input.value),
        identity: IDENTITY,
        requestId: uuid(),
        memo: { fields: readObject("Memo", memo.value) },
        searchAttributes: { indexedFields: readObject("Search attributes", attributes.value) },
        userMetadata: { ...(summary.value && { summary: summary.value }), ...(details.value && { details: details.value }) },
        ...(delay.value && { workflowStartDelay: readLength("Start after", delay.value) }),
        ...(timeout.value && { workflowExecutionTimeout: readLength("End at the latest after", timeout.value) }),
        ...(reuse.value && { workflowIdReusePolicy: reuse.value }),
        ...(conflict.value && { workflowIdConflictPolicy: conflict.value }),
      };
      const { runId } = await call("StartWorkflowExecution", { namespace, workflow_id }, { body });
      go(href(["namespaces", namespace, "workflows", workflow_id, runId]));
    },
  });
}
