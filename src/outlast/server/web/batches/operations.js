/** Batch operations: what they are called, how they stand, and how one is stopped. */

import { IDENTITY, call } from "../api.js";
import { field, openForm } from "../dialog.js";
import { h } from "../dom.js";
import { number, words } from "../format.js";
import { notice } from "../notices.js";

const LOOKS = { RUNNING: "running", COMPLETED: "completed", FAILED: "failed" };

/** "BATCH_OPERATION_TYPE_TERMINATE_WORKFLOW" -> "Terminate". */
export function typeWords(type) {
  return words(type, "BATCH_OPERATION_TYPE_").replace(/ workflow$/, "");
}

/** Whether a job is at work. */
export function isRunning(job) {
  return job.state === "BATCH_OPERATION_STATE_RUNNING";
}

/** A chip with the state of a job. */
export function stateChip({ state }) {
  const name = (state ?? "").replace("BATCH_OPERATION_STATE_", "");
  return h(`span.chip.is-${LOOKS[name] ?? "unspecified"}`, {}, words(name));
}

/** How far a job is. @returns {{total: number, done: number, bad: number}} */
export function progressOf(job) {
  const [total, done, bad] = [job.totalOperationCount, job.completeOperationCount, job.failureOperationCount].map((each) => Number(each ?? 0));
  return { total, done, bad };
}

/** A bar, and the numbers that it stands for. */
export function progressBar(job) {
  const { total, done, bad } = progressOf(job);
  const text = `${number(done + bad)} of ${number(total)}`;
  return h(
    "div.progress",
    {},
    h("progress", { max: Math.max(1, total), value: done + bad, "aria-label": `Done: ${text}` }),
    h("span.num", {}, text),
    bad ? h("span.num.bad-text", {}, `${number(bad)} failed`) : null,
  );
}

/** Ask why, and stop a job. */
export function openStop(namespace, job_id, done) {
  const reason = h("input", { type: "text", required: true, autocomplete: "off" });
  openForm({
    title: "Stop this batch operation?",
    text: "What is done stays done; nothing more of it is begun.",
    fields: [field("Reason", reason)],
    action: "Stop",
    danger: true,
    submit: async () => {
      await call("StopBatchOperation", { namespace, job_id }, { body: { reason: reason.value, identity: IDENTITY } });
      notice("The batch operation is stopped.");
      done();
    },
  });
}
