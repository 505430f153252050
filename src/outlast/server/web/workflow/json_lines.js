/**
 * Events as lines of JSON, to be read: payloads that hold JSON are what they hold, and what is long is cut. The download
 * has everything as it is.
 */

import { readPayload } from "../payloads.js";

const CUT = 300;

/** @param {object[]} events @returns {string[]} */
export function jsonLines(events) {
  const lines = ["["];
  for (const event of events) {
    const own = JSON.stringify(event, shortened, 2).split("\n");
    own[own.length - 1] += ",";
    for (const line of own) lines.push(`  ${line}`);
  }
  if (events.length) lines[lines.length - 1] = lines.at(-1).slice(0, -1);
  lines.push("]");
  return lines;
}

function shortened(key, value) {
  if (typeof value?.metadata?.encoding === "string") {
    const read = readPayload(value);
    return read.isJson ? read.json : { ...value, metadata: { ...value.metadata, encoding: read.note } };
  }
  return typeof value === "string" && value.length > CUT ? `${value.slice(0, CUT)}… (${value.length} characters)` : value;
}
