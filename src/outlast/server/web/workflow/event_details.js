/** The attributes of an event, as facts, values and failures. */

import { h, link } from "../dom.js";
import { facts, when } from "../facts.js";
import { failureNode } from "../failures.js";
import { length } from "../format.js";
import { href } from "../router.js";
import { longText, payloadsNode } from "../values.js";
import { attributesOf } from "./events.js";

const DURATION = /^-?\d+(\.\d+)?s$/;
const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** Everything an event says. */
export function eventDetails(event, namespace) {
  const [plain, blocks] = [[], []];
  for (const [key, value] of Object.entries(attributesOf(event))) sort(key, value, namespace, plain, blocks);
  return h("div.event-details", {}, facts(["Time", when(event.eventTime)], ...plain), blocks);
}

function sort(key, value, namespace, plain, blocks) {
  if (isFailure(key, value)) blocks.push(block(spaced(key), failureNode(value)));
  else if (isPayloads(value)) blocks.push(block(spaced(key), payloadsNode(value, key)));
  else if (value !== null && typeof value === "object") nested(key, value, namespace, plain, blocks);
  else if (value !== "0s") plain.push([spaced(key), scalar(value)]);
}

function nested(key, value, namespace, plain, blocks) {
  const entries = Object.entries(value);
  if (value.workflowId && value.runId) plain.push([spaced(key), link(href(["namespaces", namespace, "workflows", value.workflowId, value.runId]), value.workflowId)]);
  else if (typeof value.name === "string" && entries.every(([name]) => name === "name" || name === "kind")) plain.push([spaced(key), value.name]);
  else if (entries.length && entries.every(([, each]) => isPayloads(each))) {
    blocks.push(block(spaced(key), h("div.values", {}, entries.map(([name, each]) => h("div", {}, h("h4.key", {}, name), payloadsNode(each, name))))));
  } else if (hasDeepPayload(value)) for (const [name, each] of entries) sort(name, each, namespace, plain, blocks);
  else if (entries.length) blocks.push(block(spaced(key), longText(JSON.stringify(value, null, 2), { name: key })));
}

function block(title, node) {
  return h("section.event-block", {}, h("h3", {}, title), node);
}

function isFailure(key, value) {
  return /failure$/i.test(key) && value !== null && typeof value === "object" && !isPayloads(value);
}

function isPayloads(value) {
  if (value === null || typeof value !== "object") return false;
  if (Array.isArray(value.payloads)) return true;
  return typeof value.metadata?.encoding === "string" || (Array.isArray(value) && value.length > 0 && value.every((each) => each?.metadata?.encoding));
}

function hasDeepPayload(value) {
  return value !== null && typeof value === "object" && Object.values(value).some((each) => isPayloads(each) || hasDeepPayload(each));
}

function scalar(value) {
  const text = String(value);
  if (DURATION.test(text)) return length(Number.parseFloat(text));
  if (INSTANT.test(text)) return when(text);
  return h("span.scalar", {}, text.length > 600 ? `${text.slice(0, 600)}…` : text);
}

function spaced(key) {
  const text = key.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
