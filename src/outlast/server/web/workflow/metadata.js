/** What a workflow's code says of itself: its signals, queries and updates, by the query for its metadata. */

import { call, execution } from "../api.js";
import { plain, readPayloads } from "../payloads.js";

const METADATA = "__temporal_workflow_metadata";

/**
 * Query a run.
 *
 * @param {any[]} args JSON values
 * @returns {Promise<object>} Payloads
 */
export async function query(run, name, args, signal) {
  const fields = { namespace: run.namespace, "execution.workflow_id": run.workflowId, "query.query_type": name };
  const body = { execution: { workflowId: run.workflowId, runId: run.runId }, query: args.length ? { queryArgs: args } : {} };
  const answer = await call("QueryWorkflow", fields, { body, signal });
  if (answer.queryRejected) throw new Error("The workflow was not asked: its status forbids it.");
  return answer.queryResult;
}

/** @typedef {{name: string, description: string}} Definition */

/**
 * What there is to call.
 *
 * @returns {Promise<{signals: Definition[], queries: Definition[], updates: Definition[], currentDetails: string}>}
 */
export async function metadata(run, signal) {
  const [value] = readPayloads(await query(run, METADATA, [], signal));
  const { definition = {}, currentDetails = "" } = value?.json ?? {};
  const named = (list) => (list ?? []).filter((each) => each.name && !each.name.startsWith("__")).map(({ name, description = "" }) => ({ name, description }));
  return { signals: named(definition.signalDefinitions), queries: named(definition.queryDefinitions), updates: named(definition.updateDefinitions), currentDetails };
}
