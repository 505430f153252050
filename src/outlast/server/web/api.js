/**
 * Calls of the JSON API: one function for every RPC, routed by the table in routes.js.
 *
 * The address is relative to this file, so the UI works under whatever prefix it is mounted.
 */

import { decode } from "./codec.js";
import { ROUTES } from "./routes.js";

const ROOT = new URL(".", import.meta.url);
/** What the server is told about who asks. */
export const IDENTITY = "outlast-ui";

/** Emits "lost" when the server does not answer and "found" when it does so again. */
export const connection = new EventTarget();
let lost = false;

/** What went wrong with a call. */
export class ApiError extends Error {
  /**
   * @param {number} status of HTTP; 0 when there was no answer
   * @param {number} code of gRPC; 14 when there was no answer
   * @param {string} message
   */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }

  get unanswered() {
    return this.status === 0;
  }

  get notFound() {
    return this.code === 5;
  }

  get unimplemented() {
    return this.code === 12 || this.status === 501;
  }
}

/**
 * Call an RPC.
 *
 * @param {string} rpc its name
 * @param {Object<string, any>} fields request fields by their proto path, "execution.workflow_id"; those that the route
 *   does not name go into the query string; null, undefined and "" are left out
 * @param {{body?: object, signal?: AbortSignal}} [options]
 * @returns {Promise<any>} the response
 * @throws {ApiError} the server refused, or did not answer
 * @throws {DOMException} the signal was aborted
 */
export async function call(rpc, fields, { body, signal } = {}) {
  const [verb, template] = ROUTES[rpc];
  const response = await send(address(template, fields), {
    method: verb,
    signal,
    headers: { Accept: "application/json+no-payload-shorthand", ...(verb === "POST" ? { "Content-Type": "application/json" } : {}) },
    body: verb === "POST" ? JSON.stringify(body ?? {}) : undefined,
  });
  const text = await response.text();
  if (!response.ok) throw refusal(response, text);
  const answer = text ? JSON.parse(text) : {};
  await decode(answer, fields.namespace ?? "", signal);
  return answer;
}

function address(template, fields) {
  const rest = new Map(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined && value !== ""));
  const path = template.replace(/\{([^}]+)\}/g, (_, name) => {
    const value = rest.get(name) ?? "";
    rest.delete(name);
    return encodeURIComponent(value);
  });
  const url = new URL(path.slice(1), ROOT);
  for (const [name, value] of rest) {
    for (const each of Array.isArray(value) ? value : [value]) url.searchParams.append(camel(name), each);
  }
  return url;
}

function camel(path) {
  return path.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
}

async function send(url, init) {
  let response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    tell(true);
    throw new ApiError(0, 14, `The server at ${url.host} does not answer.`);
  }
  tell(false);
  return response;
}

function tell(now) {
  if (now === lost) return;
  lost = now;
  connection.dispatchEvent(new Event(now ? "lost" : "found"));
}

function refusal(response, text) {
  try {
    const { code, message } = JSON.parse(text);
    return new ApiError(response.status, code ?? 2, message || response.statusText);
  } catch {
    return new ApiError(response.status, 2, text.trim() || `The server answered ${response.status} ${response.statusText}.`);
  }
}

/** The fields that name a run for most RPCs; `name` is what the request calls it. */
export function execution(name, { namespace, workflowId, runId }) {
  return { namespace, [`${name}.workflow_id`]: workflowId, [`${name}.run_id`]: runId };
}
