/** One schedule: its times, what it starts, what it has started, and what it will do. */

import { call } from "../api.js";
import { h, link, replace } from "../dom.js";
import { ago, facts, simpleTable, when } from "../facts.js";
import { length, number, seconds } from "../format.js";
import { live } from "../live.js";
import { readFields } from "../payloads.js";
import { href } from "../router.js";
import { empty, loading } from "../states.js";
import { statusChip } from "../statuses.js";
import { copyButton, payloadsNode, valueNode } from "../values.js";
import { openBackfill, openDelete, openPause, openTrigger } from "./forms.js";
import { pausedChip } from "./list.js";
import { overlapWords, specLines } from "./spec.js";

const REFRESH_MS = 2000;

/** @type {import("../router.js").Page} */
export function schedulePage(root, { namespace, scheduleId }, signal) {
  document.title = `${scheduleId} · Schedules · Outlast`;
  const state = h("span.head-status");
  const actions = h("div.head-end");
  const place = h("div.stack", {}, loading("Loading the schedule"));
  root.append(
    h("nav.crumbs", { "aria-label": "Where you are" }, link(href(["namespaces", namespace, "schedules"]), "Schedules")),
    h("div.head", {}, h("h1", {}, scheduleId), copyButton(scheduleId, "schedule id"), state, actions),
    place,
  );
  let shown = null;
  const again = live(place, load, REFRESH_MS, signal);

  async function load() {
    try {
      const { schedule, info, memo, searchAttributes } = await call("DescribeSchedule", { namespace, schedule_id: scheduleId }, { signal });
      const paused = Boolean(schedule.state?.paused);
      if (paused !== shown) {
        shown = paused;
        replace(state, pausedChip(paused));
        replace(actions, buttons(paused));
      }
      return [
        timesCard(schedule, info, paused),
        h("div.pair", {}, upcoming(info, paused), recent(namespace, info)),
        running(namespace, info),
        actionCard(namespace, schedule.action?.startWorkflow ?? {}),
        fields("Memo", memo?.fields),
        fields("Search attributes", searchAttributes?.indexedFields),
      ];
    } catch (error) {
      if (!error.notFound) throw error;
      shown = null;
      replace(state);
      replace(actions);
      return empty("There is no such schedule", `The namespace ${namespace} has none with the id ${scheduleId}.`, link(href(["namespaces", namespace, "schedules"]), "Look at all schedules", { class: "button" }));
    }
  }
  function buttons(paused) {
    const schedule = { namespace, scheduleId };
    const button = (name, open, tag = "button") => h(tag, { type: "button", onclick: open }, name);
    return [
      button(paused ? "Unpause" : "Pause", () => openPause(schedule, paused, again)),
      button("Trigger now", () => openTrigger(schedule, again)),
      button("Backfill", () => openBackfill(schedule, again)),
      button("Delete", () => openDelete(schedule), "button.danger"),
    ];
  }
}

function timesCard({ spec = {}, policies = {}, state = {} }, info, paused) {
  const lines = specLines(spec);
  return h(
    "section.card",
    {},
    h("h2", {}, "When"),
    state.notes ? h(`p.about.lead${paused ? ".bad-text" : ""}`, {}, state.notes) : null,
    lines.length ? h("ul.plain.lead", {}, lines.map((line) => h("li", {}, line))) : h("p.nothing.lead", {}, "It has no times of its own: it starts what is triggered."),
    facts(
      ["When the one before still runs", overlapWords(policies.overlapPolicy)],
      ["Makes up for times missed within", seconds(policies.catchupWindow) ? length(seconds(policies.catchupWindow)) : null],
      ["At random up to", seconds(spec.jitter) ? length(seconds(spec.jitter)) : null],
      ["Time zone", spec.timezoneName],
      ["Begins", spec.startTime ? when(spec.startTime) : null],
      ["Ends", spec.endTime ? when(spec.endTime) : null],
      ["Pauses when a workflow fails", policies.pauseOnFailure ? "Yes" : null],
      ["Starts left", state.limitedActions ? number(state.remainingActions) : null],
      ["Has started", number(info.actionCount)],
      ["Skipped", Number(info.overlapSkipped ?? 0) ? number(info.overlapSkipped) : null],
      ["Missed", Number(info.missedCatchupWindow ?? 0) ? number(info.missedCatchupWindow) : null],
      ["Created", when(info.createTime)],
      ["Changed", info.updateTime ? when(info.updateTime) : null],
    ),
  );
}

function upcoming(info, paused) {
  const times = info.futureActionTimes ?? [];
  const none = paused ? "Nothing: it is paused." : "Nothing: its times are over, or it has none.";
  return h("section.card", {}, h("h2", {}, "Next"), times.length && !paused ? simpleTable("Next times", ["Time", "From now"], times.map((time) => [when(time), ago(time)])) : h("p.nothing", {}, none));
}

function recent(namespace, info) {
  const rows = [...(info.recentActions ?? [])].reverse().map((each) => {
    const run = each.startWorkflowResult ?? {};
    return [statusChip(each.startWorkflowStatus ?? "WORKFLOW_EXECUTION_STATUS_RUNNING"), link(href(["namespaces", namespace, "workflows", run.workflowId, run.runId].filter(Boolean)), run.workflowId), ago(each.actualTime)];
  });
  return h("section.card", {}, h("h2", {}, "Latest"), rows.length ? simpleTable("Latest workflows", ["Status", "Workflow", "Started"], rows) : h("p.nothing", {}, "It has not started anything yet. “Trigger now” does at once."));
}

function running(namespace, info) {
  const each = info.runningWorkflows ?? [];
  if (!each.length) return null;
  return h("section.card", {}, h("h2", {}, `Running now (${number(each.length)})`), h("ul.plain", {}, each.map((run) => h("li", {}, link(href(["namespaces", namespace, "workflows", run.workflowId, run.runId].filter(Boolean)), run.workflowId)))));
}

function actionCard(namespace, action) {
  const queue = action.taskQueue?.name;
  return h(
    "section.card",
    {},
    h("h2", {}, "What it starts"),
    facts(["Type", action.workflowType?.name], ["Task queue", queue ? link(href(["namespaces", namespace, "task-queues", queue]), queue) : null], ["Workflow id", action.workflowId]),
    h("h3.part", {}, "Input"),
    payloadsNode(action.input, "input", "No input"),
  );
}

function fields(title, map) {
  const each = readFields(map);
  if (!each.length) return null;
  return h("section.card", {}, h("h2", {}, title), h("dl.fields", {}, each.map(([name, value]) => [h("dt", {}, name), h("dd", {}, valueNode(value, name))])));
}
