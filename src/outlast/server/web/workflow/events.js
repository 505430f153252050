/** The events of one run, fetched in pages, and afterwards only what is new. */

import { call, execution } from "../api.js";

const PAGE = 1000;

/** "EVENT_TYPE_TIMER_STARTED" -> "TimerStarted". */
export function typeName(event) {
  return event.eventType.replace("EVENT_TYPE_", "").toLowerCase().replace(/(^|_)([a-z])/g, (_, __, letter) => letter.toUpperCase());
}

/** The attributes of an event, {} where it has none. */
export function attributesOf(event) {
  for (const key of Object.keys(event)) if (key.endsWith("EventAttributes")) return event[key];
  return {};
}

export class Events {
  /** @param {{namespace: string, workflowId: string, runId: string}} run */
  constructor(run) {
    this.run = run;
    /** @type {object[]} in order, without gaps: event n is at n - 1 */
    this.all = [];
    this.complete = false;
    /** The first and the last event, which may be known without those between them. */
    this.first = null;
    this.closing = null;
    this.token = "";
  }

  /** Have the first event, and of a closed run the last one. */
  async ends(closed, signal) {
    const one = async (rpc) => (await this.page(rpc, { maximum_page_size: 1 }, signal)).events[0];
    this.first ??= await one("GetWorkflowExecutionHistory");
    if (closed) this.closing ??= await one("GetWorkflowExecutionHistoryReverse");
  }

  /**
   * Have everything up to an event.
   *
   * @param {number} last id of the last event
   * @param {AbortSignal} signal
   * @param {() => void} progress called after every page
   */
  async upTo(last, signal, progress) {
    while (!this.complete) {
      const page = await this.page("GetWorkflowExecutionHistory", { next_page_token: this.token, maximum_page_size: PAGE }, signal);
      this.all.push(...page.events);
      this.token = page.token;
      this.complete = !page.token;
      progress();
    }
    if (this.all.length < last) {
      this.all.push(...(await this.missing(last, signal)));
      progress();
    }
  }

  /** What came after the events that are here: from the end backwards, until they meet. */
  async missing(last, signal) {
    const found = [];
    const known = this.all.length;
    let token = "";
    do {
      const size = Math.min(PAGE, Math.max(1, last - known - found.length));
      const page = await this.page("GetWorkflowExecutionHistoryReverse", { next_page_token: token, maximum_page_size: size }, signal);
      found.push(...page.events.filter((event) => Number(event.eventId) > known));
      token = Number(page.events.at(-1)?.eventId ?? 0) > known + 1 ? page.token : "";
    } while (token);
    return found.reverse();
  }

  async page(rpc, fields, signal) {
    const answer = await call(rpc, { ...execution("execution", this.run), ...fields }, { signal });
    return { events: answer.history?.events ?? [], token: answer.nextPageToken ?? "" };
  }
}
