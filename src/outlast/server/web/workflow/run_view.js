/** What is known of one run: its description, its events, and the steps they make. */

import { call, execution } from "../api.js";
import { attributesOf, Events, typeName } from "./events.js";
import { Groups, withPending } from "./groups.js";

const BROKEN = new Set(["WorkflowTaskFailed", "WorkflowTaskTimedOut"]);
const RECENT = 50;

export class RunView {
  /** @param {{namespace: string, workflowId: string, runId: string}} run */
  constructor(run) {
    this.run = run;
    this.description = {};
    this.events = new Events(run);
    this.grouped = new Groups();
    /** The failed workflow task that keeps this run from getting on; null when none does. */
    this.trouble = null;
    /** Whether there is a workflow task that nobody is there to take. */
    this.deserted = false;
    /** Whether it is known from a file, so that there is nobody to ask. */
    this.offline = false;
  }

  get info() {
    return this.description.workflowExecutionInfo ?? {};
  }

  /** @type {import("./groups.js").Group[]} */
  get groups() {
    return this.grouped.all;
  }

  /** Whether it is open: at work, or paused. */
  get running() {
    return this.info.status === "WORKFLOW_EXECUTION_STATUS_RUNNING" || this.paused;
  }

  get paused() {
    return this.info.status === "WORKFLOW_EXECUTION_STATUS_PAUSED";
  }

  get pending() {
    return this.description.pendingActivities ?? [];
  }

  get blocked() {
    return this.trouble !== null;
  }

  /** Ask for the description, and what only makes sense while it runs. */
  async describe(signal) {
    this.description = await call("DescribeWorkflowExecution", execution("execution", this.run), { signal });
    const task = this.description.pendingWorkflowTask;
    this.trouble = this.running && task && (task.attempt ?? 1) > 1 ? await this.findTrouble(signal) : null;
    const waits = task?.state === "PENDING_WORKFLOW_TASK_STATE_SCHEDULED";
    this.deserted = this.running && waits && !(await this.polled(signal));
  }

  async findTrouble(signal) {
    const known = this.trouble;
    if (known && known.length === this.info.historyLength) return known;
    const { events } = await this.events.page("GetWorkflowExecutionHistoryReverse", { maximum_page_size: RECENT }, signal);
    const event = events.find((each) => BROKEN.has(typeName(each)));
    return { event, attributes: event ? attributesOf(event) : {}, length: this.info.historyLength };
  }

  async polled(signal) {
    const fields = { namespace: this.run.namespace, "task_queue.name": this.info.taskQueue, task_queue_type: "TASK_QUEUE_TYPE_WORKFLOW" };
    const { pollers = [] } = await call("DescribeTaskQueue", fields, { signal });
    return pollers.length > 0;
  }

  /** Have of the history what a tab needs: "all" of it, its "ends", or "nothing". */
  async learn(need, signal, progress) {
    if (need === "nothing") return;
    await this.events.ends(!this.running, signal);
    if (need === "all") await this.loadEvents(signal, progress);
    else progress();
  }

  /** Whether nothing can become known any more. */
  settled(need) {
    if (this.running) return false;
    return need === "nothing" || (need === "ends" ? Boolean(this.events.closing) : this.events.complete);
  }

  /** Have all events, telling after every page. */
  async loadEvents(signal, progress) {
    await this.events.upTo(Number(this.info.historyLength ?? 0), signal, () => {
      this.regroup();
      progress();
    });
    this.regroup();
  }

  regroup() {
    this.grouped.follow(this.events.all);
    withPending(this.groups, this.pending);
  }
}
