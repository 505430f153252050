/** The columns that the list of workflows may have: the usual ones, more that the server tells, and search attributes. */

import { fullTime, instant, length, number, seconds, size, time } from "../format.js";
import { plain } from "../payloads.js";

/**
 * @typedef {object} Column
 * @property {string} key in settings
 * @property {string} name above it
 * @property {string|null} field of list filters that it is sorted by; null where it cannot be
 * @property {"ASC"|"DESC"} first order when it is clicked
 * @property {string} look class of its cells
 * @property {(info: object) => string} text of a cell
 * @property {(info: object) => string} [hint] what the cell tells when pointed at
 */

const when = (field) => ({ text: (info) => time(info[field]), hint: (info) => fullTime(info[field]) });

/** Status and id have cells of their own, in table.js. @type {Column[]} */
export const COLUMNS = [
  { key: "status", name: "Status", field: "ExecutionStatus", first: "ASC", look: "c-status", text: (info) => info.status },
  { key: "id", name: "Workflow id", field: "WorkflowId", first: "ASC", look: "c-id", text: (info) => info.execution.workflowId },
  { key: "type", name: "Type", field: "WorkflowType", first: "ASC", look: "c-type", text: (info) => info.type?.name ?? "–" },
  { key: "started", name: "Started", field: "StartTime", first: "DESC", look: "c-start.num", ...when("startTime") },
  { key: "closed", name: "Closed", field: "CloseTime", first: "DESC", look: "c-close.num", ...when("closeTime") },
  { key: "duration", name: "Duration", field: "ExecutionDuration", first: "DESC", look: "c-length.num", text: durationOf, hint: () => "" },
  { key: "queue", name: "Task queue", field: "TaskQueue", first: "ASC", look: "c-queue", text: (info) => info.taskQueue ?? "–" },
];

/** Not shown unless they are chosen. @type {Column[]} */
const MORE = [
  { key: "run", name: "Run id", field: "RunId", first: "ASC", look: "c-more", text: (info) => info.execution.runId },
  { key: "begins", name: "First task", field: "ExecutionTime", first: "DESC", look: "c-more.num", ...when("executionTime") },
  { key: "events", name: "Events", field: "HistoryLength", first: "DESC", look: "c-more.num", text: (info) => number(info.historyLength) },
  { key: "size", name: "History size", field: "HistorySizeBytes", first: "DESC", look: "c-more.num", text: (info) => size(info.historySizeBytes) },
  { key: "transitions", name: "Transitions", field: "StateTransitionCount", first: "DESC", look: "c-more.num", text: (info) => number(info.stateTransitionCount) },
  { key: "parent", name: "Parent", field: "ParentWorkflowId", first: "ASC", look: "c-more", text: (info) => info.parentExecution?.workflowId ?? "–" },
];

/** Values of these types have no order. */
const UNSORTED = new Set(["INDEXED_VALUE_TYPE_TEXT", "INDEXED_VALUE_TYPE_KEYWORD_LIST"]);

/** All that may be chosen. @param {Object<string, string>} attributes the namespace's own search attributes: type by name */
export function allColumns(attributes) {
  const own = Object.entries(attributes).sort(([a], [b]) => a.localeCompare(b)).map(([name, type]) => ({
    key: `@${name}`,
    name,
    field: UNSORTED.has(type) ? null : name,
    first: "ASC",
    look: "c-more",
    text: (info) => attributeText(info, name, type),
  }));
  return [...COLUMNS, ...MORE, ...own];
}

/** The chosen ones in their order; the usual ones for none. The id is always there. */
export function chosenColumns(all, keys) {
  const chosen = (keys ?? []).map((key) => all.find((column) => column.key === key)).filter(Boolean);
  if (!chosen.length) return COLUMNS;
  return chosen.some((column) => column.key === "id") ? chosen : [COLUMNS[1], ...chosen];
}

function attributeText(info, name, type) {
  const given = info.searchAttributes?.indexedFields?.[name];
  if (given === undefined) return "–";
  const value = plain(given);
  if (type === "INDEXED_VALUE_TYPE_DATETIME") return time(value);
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function durationOf(info) {
  if (info.executionDuration) return length(seconds(info.executionDuration));
  const from = instant(info.startTime);
  return from === null ? "–" : length(Math.max(0, Math.floor((Date.now() - from) / 1000)));
}
