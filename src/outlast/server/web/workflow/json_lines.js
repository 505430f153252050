/**
 * Events as lines of JSON, to be read: payloads that hold JSON are what they hold, and what is long is cut. The download
 * has everything as it is.
 *
 * Rule of the place: a history of many thousand events is written a slice at a time, and the page answers in between.
 */

import { readPayload } from "../payloads.js";

const CUT = 300;
const SLICE_MS = 8;

export class JsonLines {
  /** @param {() => void} more called when there are more lines than before */
  constructor(more) {
    this.more = more;
    this.begin([]);
  }

  /** How many lines there are by now. */
  get count() {
    return this.written.length + (this.taken === this.events.length ? 1 : 0);
  }

  /** Whether all is written. */
  get complete() {
    return this.taken === this.events.length;
  }

  /** Write these events; what is written of them already stays. @param {object[]} events */
  follow(events) {
    const same = this.taken <= events.length && this.events[0] === events[0] && this.events[this.taken - 1] === events[this.taken - 1];
    if (same) this.events = events;
    else this.begin(events);
    this.go();
  }

  /** A line. */
  at(index) {
    if (index === this.written.length) return "]";
    const line = this.written[index];
    // Behind the last event there is no comma.
    return index > 0 && this.complete && index === this.written.length - 1 ? line.slice(0, -1) : line;
  }

  begin(events) {
    this.events = events;
    this.taken = 0;
    this.written = ["["];
  }

  go() {
    clearTimeout(this.timer);
    const until = performance.now() + SLICE_MS;
    for (; this.taken < this.events.length && performance.now() < until; this.taken += 1) {
      for (const line of `${JSON.stringify(this.events[this.taken], shortened, 2)},`.split("\n")) this.written.push(`  ${line}`);
    }
    if (!this.complete) this.timer = setTimeout(() => this.proceed());
  }

  proceed() {
    this.go();
    this.more();
  }
}

function shortened(key, value) {
  if (typeof value?.metadata?.encoding === "string") {
    const read = readPayload(value);
    return read.isJson ? read.json : { ...value, metadata: { ...value.metadata, encoding: read.note } };
  }
  return typeof value === "string" && value.length > CUT ? `${value.slice(0, CUT)}… (${value.length} characters)` : value;
}
