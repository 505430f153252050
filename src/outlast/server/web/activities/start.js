/** The form that starts an activity without a workflow. */

import { IDENTITY, call } from "../api.js";
import { ARGUMENTS_HINT, argumentsInput, field, more, openForm, readArguments, readObject } from "../dialog.js";
import { h } from "../dom.js";
import { readLength } from "../lengths.js";
import { go, href } from "../router.js";
import { uuid } from "../uuid.js";

/** Open it. */
export function openStart(namespace) {
  const text = (value = "", options = {}) => h("input", { type: "text", autocomplete: "off", value, ...options });
  const [type, queue, id] = [text("", { required: true, placeholder: "send_email" }), text("", { required: true, placeholder: "orders" }), text()];
  const input = argumentsInput();
  const attempt = text("10 m", { required: true });
  const [whole, heartbeat, summary] = [text("", { placeholder: "1 d" }), text("", { placeholder: "30 s" }), text()];
  const attempts = h("input", { type: "number", min: 1, step: 1 });
  const attributes = h("textarea.code", { rows: 2, spellcheck: "false", placeholder: '{"CustomerId": "c-7"}' });
  const lengths = () => ({
    startToCloseTimeout: readLength("One attempt may take", attempt.value),
    ...(whole.value && { scheduleToCloseTimeout: readLength("All attempts may take", whole.value) }),
    ...(heartbeat.value && { heartbeatTimeout: readLength("Heartbeat at least every", heartbeat.value) }),
  });
  openForm({
    title: "Start an activity",
    text: "It runs by itself, without a workflow, and is retried until it succeeds or its time is over.",
    fields: [
      field("Type", type, "The name under which a worker has registered it."),
      field("Task queue", queue, "The one that the worker polls."),
      field("Activity id", id, "Empty: a random one."),
      field("Input", input, ARGUMENTS_HINT),
      field("One attempt may take", attempt),
      more("More options", [
        field("All attempts may take", whole, "Empty: any time."),
        field("Attempts at most", attempts, "Empty: any number."),
        field("Heartbeat at least every", heartbeat),
        field("Summary", summary, "One line, shown on its page."),
        field("Search attributes", attributes, "A JSON object; the names have to be registered in the namespace."),
      ]),
    ],
    action: "Start",
    submit: async () => {
      const activity_id = id.value || uuid();
      const body = {
        activityType: { name: type.value },
        taskQueue: { name: queue.value },
        input: readArguments(input.value),
        identity: IDENTITY,
        requestId: uuid(),
        ...lengths(),
        ...(attempts.value && { retryPolicy: { maximumAttempts: Number(attempts.value) } }),
        ...(summary.value && { userMetadata: { summary: summary.value } }),
        searchAttributes: { indexedFields: readObject("Search attributes", attributes.value) },
      };
      const { runId } = await call("StartActivityExecution", { namespace, activity_id }, { body });
      go(href(["namespaces", namespace, "activities", activity_id, runId]));
    },
  });
}
