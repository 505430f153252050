/** From what stands in the search box to a list filter, and from the choices around it. */

/** A name and an operator at the beginning, perhaps after parentheses and NOT; or only an order. */
const LOOKS_LIKE_A_FILTER = /^[\s(]*(?:not\b[\s(]*)?(?:`[^`]+`|[a-z_][\w.]*)\s*(?:[=<>]|!=|(?:not\s+)?(?:in\s*\(|between\b|starts_with\b)|is\s+(?:not\s+)?null\b)|^\s*order\s+by\b/i;
const ORDER_BY = /\border\s+by\b/i;

/** Time ranges: seconds back from now. */
export const RANGES = [
  ["", "Any time"],
  ["900", "Last 15 minutes"],
  ["3600", "Last hour"],
  ["86400", "Last 24 hours"],
  ["604800", "Last 7 days"],
  ["2592000", "Last 30 days"],
];

/** A string of the filter language. */
export function quoted(text) {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** Whether the text is a list filter, not an id or a type. */
export function isFilter(text) {
  return LOOKS_LIKE_A_FILTER.test(text);
}

function splitOrder(text) {
  const masked = text.replace(/'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"/g, (found) => "_".repeat(found.length));
  const at = masked.search(ORDER_BY);
  return at < 0 ? [text, ""] : [text.slice(0, at).trim(), text.slice(at)];
}

function search(text) {
  if (!text || isFilter(text)) return text;
  const value = quoted(text);
  return `WorkflowId STARTS_WITH ${value} OR WorkflowType STARTS_WITH ${value} OR RunId = ${value}`;
}

/**
 * @typedef {object} View what the list shows
 * @property {string} text of the search box
 * @property {string} status "" for all, "Blocked", or a status
 * @property {string} range seconds back from now, "" for all; or "from/to", two instants, either of them empty
 * @property {string} sort "StartTime DESC"; "" for the server's own order
 */

/** The condition of a view; without its status for `status: false`. */
export function condition(view, { status = true } = {}) {
  const [where] = splitOrder(view.text.trim());
  const parts = [search(where), status ? ofStatus(view.status) : "", ...ofRange(view.range)].filter(Boolean);
  return parts.length === 1 ? parts[0] : parts.map((part) => `(${part})`).join(" AND ");
}

/** The whole query of a view, with its order. */
export function query(view) {
  const [, order] = splitOrder(view.text.trim());
  const sorted = view.sort ? `ORDER BY ${view.sort}` : order;
  return [condition(view), sorted].filter(Boolean).join(" ");
}

/** The condition that finds workflows whose tasks keep failing. */
export const BLOCKED = "ExecutionStatus = 'Running' AND TemporalReportedProblems IS NOT NULL";

function ofStatus(status) {
  if (!status) return "";
  return status === "Blocked" ? BLOCKED : `ExecutionStatus = '${status}'`;
}

function ofRange(range) {
  if (!range) return [];
  if (!range.includes("/")) return [`StartTime >= '${new Date(Date.now() - Number(range) * 1000).toISOString()}'`];
  const [from, to] = range.split("/");
  return [from && `StartTime >= '${from}'`, to && `StartTime <= '${to}'`].filter(Boolean);
}

/** The query that orders by a column: its own first direction, and the other one when it is that already. */
export function sortedBy(column, sort) {
  const [field, direction] = sort.split(" ");
  if (field !== column.field) return `${column.field} ${column.first}`;
  return `${field} ${direction === "ASC" ? "DESC" : "ASC"}`;
}
