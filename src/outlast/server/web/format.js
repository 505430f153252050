/** How values are written for people: times, durations, sizes, names of enums. */

import { settings } from "./settings.js";

const UNITS = [["d", 86_400], ["h", 3_600], ["m", 60]];

/** Seconds of protobuf's JSON duration, "1.5s"; 0 when there is none. */
export function seconds(duration) {
  return duration ? Number.parseFloat(duration) : 0;
}

/** A length of time: "3 ms", "4.2 s", "2 m 5 s", "3 d 4 h". */
export function length(value) {
  if (value < 0) return "0 s";
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  if (value < 60) return `${trim(value, value < 10 ? 2 : 1)} s`;
  const parts = [];
  let rest = Math.round(value);
  for (const [unit, size] of UNITS) {
    if (rest >= size) parts.push(`${Math.floor(rest / size)} ${unit}`);
    rest %= size;
  }
  if (rest && parts.length < 2) parts.push(`${rest} s`);
  return parts.slice(0, 2).join(" ");
}

function trim(value, digits) {
  return String(Number(value.toFixed(digits)));
}

/** Milliseconds since the epoch of protobuf's JSON timestamp; null when there is none. */
export function instant(timestamp) {
  return timestamp ? Date.parse(timestamp) : null;
}

const formats = new Map();

/** Formats of the chosen time zone, made once: they are dear. */
function inZone() {
  const name = settings.zone;
  if (!formats.has(name)) formats.set(name, formatsOf(name || undefined));
  return formats.get(name);
}

function formatsOf(timeZone) {
  try {
    const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false, timeZone });
    const day = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "2-digit", timeZone });
    return { clock, day, name: clock.resolvedOptions().timeZone };
  } catch {
    // The browser does not know this zone.
    return formatsOf(undefined);
  }
}

/** A point in time, as the user chose: clock and date, without the date when it is today; or its distance from now. */
export function time(timestamp) {
  if (!timestamp) return "–";
  if (settings.times === "relative") return relative(timestamp);
  const date = new Date(timestamp);
  const { clock, day } = inZone();
  const today = day.format(date) === day.format(new Date());
  return today ? clock.format(date) : `${day.format(date)} ${clock.format(date)}`;
}

/** A point in time with date, milliseconds and zone, for titles and details. */
export function fullTime(timestamp) {
  if (!timestamp) return "–";
  const date = new Date(timestamp);
  const { clock, day, name } = inZone();
  return `${day.format(date)} ${clock.format(date)}.${String(date.getMilliseconds()).padStart(3, "0")} (${name})`;
}

/** "4 s ago", "in 2 m". */
export function relative(timestamp, now = Date.now()) {
  const distance = (Date.parse(timestamp) - now) / 1000;
  if (Math.abs(distance) < 1) return "now";
  const rounded = length(Math.round(Math.abs(distance)));
  return distance < 0 ? `${rounded} ago` : `in ${rounded}`;
}

/** Bytes: "812 B", "4.1 kB", "2 MB". */
export function size(bytes) {
  const value = Number(bytes ?? 0);
  if (value < 1000) return `${value} B`;
  if (value < 1_000_000) return `${trim(value / 1000, 1)} kB`;
  return `${trim(value / 1_000_000, 1)} MB`;
}

/** A number with separators. */
export function number(value) {
  return Number(value ?? 0).toLocaleString("en").replaceAll(",", " ");
}

/** The value of an enum in words: ("WORKFLOW_EXECUTION_STATUS_TIMED_OUT", "WORKFLOW_EXECUTION_STATUS_") -> "Timed out". */
export function words(name, prefix = "") {
  if (!name) return "–";
  const text = name.replace(prefix, "").toLowerCase().replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "1 workflow", "2 workflows". */
export function count(amount, noun) {
  return `${number(amount)} ${noun}${Number(amount) === 1 ? "" : "s"}`;
}
