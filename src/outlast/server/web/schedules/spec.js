/** When a schedule starts its workflow, in words. */

import { length, seconds, words } from "../format.js";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = ["", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/** What is done when the workflow before still runs: values of ScheduleOverlapPolicy and words. */
export const OVERLAPS = {
  SCHEDULE_OVERLAP_POLICY_SKIP: "Skip the new one",
  SCHEDULE_OVERLAP_POLICY_BUFFER_ONE: "Start one when it has ended",
  SCHEDULE_OVERLAP_POLICY_BUFFER_ALL: "Start all, one after the other",
  SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER: "Cancel it, then start",
  SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER: "Terminate it, then start",
  SCHEDULE_OVERLAP_POLICY_ALLOW_ALL: "Start at once, beside it",
};

/** The words for an overlap policy. */
export function overlapWords(policy) {
  return OVERLAPS[policy] ?? words(policy, "SCHEDULE_OVERLAP_POLICY_");
}

/** A line for each rule of a specification. @returns {string[]} */
export function specLines(spec = {}) {
  const zone = spec.timezoneName && spec.timezoneName !== "UTC" ? `, ${spec.timezoneName}` : "";
  return [
    ...(spec.interval ?? []).map((each) => `Every ${length(seconds(each.interval))}${seconds(each.phase) ? `, ${length(seconds(each.phase))} later` : ""}`),
    ...(spec.cronString ?? []).map((each) => `Cron ${each}`),
    ...(spec.structuredCalendar ?? []).map((each) => calendarLine(each) + zone),
  ];
}

function calendarLine(calendar) {
  const [hour, minute, second] = [calendar.hour, calendar.minute, calendar.second].map((ranges) => clock(ranges));
  const day = [part(calendar.dayOfWeek, [0, 6], (value) => DAYS[value % 7]), part(calendar.dayOfMonth, [1, 31], (value) => `day ${value}`), part(calendar.month, [1, 12], (value) => MONTHS[value]), part(calendar.year, [0, 9999], String)].filter(Boolean);
  return `${day.length ? day.join(", ") : "Every day"} at ${hour}:${minute}${second === "00" ? "" : `:${second}`}${calendar.comment ? ` (${calendar.comment})` : ""}`;
}

function bounds({ start = 0, end = 0, step = 0 }) {
  return { start, end: Math.max(start, end), step: Math.max(1, step) };
}

/** "Monday to Friday"; null for all. */
function part(ranges = [], [least, most], name) {
  const each = ranges.map(bounds);
  if (!each.length || each.some(({ start, end, step }) => start <= least && end >= most && step === 1)) return null;
  return each.map(({ start, end, step }) => (start === end ? name(start) : `${name(start)} to ${name(end)}${step > 1 ? ` by ${step}` : ""}`)).join(", ");
}

function clock(ranges = []) {
  const two = (value) => String(value).padStart(2, "0");
  const each = ranges.map(bounds);
  if (!each.length) return "00";
  return each.map(({ start, end, step }) => (start === end ? two(start) : `${two(start)}–${two(end)}${step > 1 ? `/${step}` : ""}`)).join(",");
}
