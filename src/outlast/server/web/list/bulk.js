/**
 * One action for many workflows: a batch operation where the server has them, one call for each workflow where not.
 */

import { ApiError, IDENTITY, call } from "../api.js";
import { ARGUMENTS_HINT, argumentsInput, field, openForm, readArguments } from "../dialog.js";
import { h, link, replace } from "../dom.js";
import { count } from "../format.js";
import { notice } from "../notices.js";
import { href } from "../router.js";
import { uuid } from "../uuid.js";

const AT_ONCE = 8;
const POLL_MS = 500;
const LIST_SIZE = 1000;

/** @typedef {{namespace: string, executions?: {workflowId: string, runId: string}[], query?: string, amount: number}} Target */

const ACTIONS = {
  cancel: {
    title: "Request cancellation",
    operation: () => ({ cancellationOperation: { identity: IDENTITY } }),
    one: (run, { reason }) =>
      call("RequestCancelWorkflowExecution", idOf(run), { body: { workflowExecution: named(run), reason, identity: IDENTITY } }),
  },
  terminate: {
    title: "Terminate",
    danger: true,
    operation: () => ({ terminationOperation: { identity: IDENTITY } }),
    one: (run, { reason }) =>
      call("TerminateWorkflowExecution", idOf(run), { body: { workflowExecution: named(run), reason, identity: IDENTITY } }),
  },
  signal: {
    title: "Signal",
    operation: ({ name, input }) => ({ signalOperation: { signal: name, input, identity: IDENTITY } }),
    one: (run, { name, input }) =>
      call(
        "SignalWorkflowExecution",
        { ...idOf(run), signal_name: name },
        { body: { workflowExecution: named(run), input, identity: IDENTITY, requestId: uuid() } },
      ),
  },
  reset: {
    title: "Reset",
    operation: ({ to }) => ({ resetOperation: { identity: IDENTITY, options: { [to]: {} } } }),
  },
  delete: {
    title: "Delete",
    danger: true,
    operation: () => ({ deletionOperation: { identity: IDENTITY } }),
  },
};

/** Where a reset of many may begin again: field of ResetOptions -> words. */
const RESET_POINTS = { firstWorkflowTask: "The first turn of the code: all is done again", lastWorkflowTask: "The last turn of the code" };

const WARNINGS = {
  terminate: "They end at once; their code has no chance to clean up.",
  reset: "A new run of each takes over its history up to there and goes on. Those that run are terminated.",
  delete: "They are removed with their histories, and those that run end at once. This cannot be undone.",
};

/** What the route names of a run; the rest stands in the body. */
function idOf({ namespace, workflowId }) {
  return { namespace, "workflow_execution.workflow_id": workflowId };
}

function named({ workflowId, runId }) {
  return { workflowId, runId };
}

/**
 * Ask for an action's details and run it.
 *
 * @param {"cancel"|"terminate"|"signal"|"reset"|"delete"} kind
 * @param {Target} target
 * @param {() => void} done called when workflows may have changed
 */
export function openBulk(kind, target, done) {
  const action = ACTIONS[kind];
  const reason = h("input", { type: "text", autocomplete: "off" });
  const name = h("input", { type: "text", required: true, autocomplete: "off" });
  const input = argumentsInput();
  const progress = h("p.dialog-text", { role: "status" });
  const to = h("select", {}, Object.entries(RESET_POINTS).map(([value, label]) => h("option", { value }, label)));
  const why = field("Reason", reason, kind === "delete" ? "Kept with the batch operation." : "Kept in the history of each workflow.");
  const own = { signal: [field("Signal", name), field("Input", input, ARGUMENTS_HINT)], reset: [field("Reset to", to), why] };
  openForm({
    title: `${action.title}: ${count(target.amount, "workflow")}`,
    text: WARNINGS[kind] ?? "",
    fields: [...(own[kind] ?? [why]), progress],
    action: action.title,
    danger: action.danger,
    submit: async () => {
      const details = { reason: reason.value || `${action.title} from the web UI`, name: name.value, input: readArguments(input.value), to: to.value };
      const job = await run(action, target, details, (...told) => replace(progress, told));
      notice(`${action.title}: ${count(target.amount, "workflow")} done.`, job);
      done();
    },
  });
}

/** @returns {Promise<Node|null>} a link to the batch operation, if it was one */
async function run(action, target, details, tell) {
  try {
    return await asBatch(action, target, details, tell);
  } catch (error) {
    if (!(error instanceof ApiError) || !error.unimplemented || !action.one) throw error;
    await oneByOne(action, target, details, tell);
    return null;
  }
}

async function asBatch(action, { namespace, executions, query }, details, tell) {
  const job_id = uuid();
  const which = query === undefined ? { executions } : { visibilityQuery: query };
  await call("StartBatchOperation", { namespace, job_id }, { body: { reason: details.reason, ...which, ...action.operation(details) } });
  const toJob = () => link(href(["namespaces", namespace, "batches", job_id]), "Look at the batch operation", { onclick: (event) => event.target.closest("dialog")?.close() });
  for (;;) {
    const job = await call("DescribeBatchOperation", { namespace, job_id });
    const finished = Number(job.completeOperationCount ?? 0);
    const bad = Number(job.failureOperationCount ?? 0);
    tell(`${finished + bad} of ${job.totalOperationCount ?? 0} … `, toJob());
    if (job.state === "BATCH_OPERATION_STATE_FAILED" || bad) throw new Error(`${count(bad, "workflow")} of the batch failed; those that were closed already cannot be changed.`);
    if (job.state === "BATCH_OPERATION_STATE_COMPLETED") return toJob();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function oneByOne(action, target, details, tell) {
  const runs = target.executions ?? (await matching(target));
  const waiting = [...runs];
  const problems = [];
  let finished = 0;
  const worker = async () => {
    for (let each = waiting.shift(); each; each = waiting.shift()) {
      await action.one({ namespace: target.namespace, ...each }, details).catch((error) => problems.push(`${each.workflowId}: ${error.message}`));
      finished += 1;
      tell(`${finished} of ${runs.length} …`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (problems.length) throw new Error(`${problems.length} of ${runs.length} failed. The first: ${problems[0]}`);
}

async function matching({ namespace, query }) {
  const runs = [];
  let next_page_token = "";
  do {
    const page = await call("ListWorkflowExecutions", { namespace, query, page_size: LIST_SIZE, next_page_token });
    runs.push(...(page.executions ?? []).map((info) => info.execution));
    next_page_token = page.nextPageToken ?? "";
  } while (next_page_token);
  return runs;
}
