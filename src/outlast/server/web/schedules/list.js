/** Schedules of a namespace: what they start, when, and how the last times went. */

import { call } from "../api.js";
import { h, link } from "../dom.js";
import { ago, simpleTable } from "../facts.js";
import { live } from "../live.js";
import { href } from "../router.js";
import { empty, loading } from "../states.js";
import { statusChip } from "../statuses.js";
import { openCreate } from "./forms.js";
import { specLines } from "./spec.js";

const REFRESH_MS = 3000;
const PAGE = 200;

/** @type {import("../router.js").Page} */
export function schedulesPage(root, { namespace }, signal) {
  document.title = `Schedules · ${namespace} · Outlast`;
  const place = h("div", {}, loading("Loading schedules"));
  const tokens = [""];
  root.append(h("div.head", {}, h("h1", {}, "Schedules"), h("div.head-end", {}, h("button.primary", { type: "button", onclick: () => openCreate(namespace) }, "Create schedule"))), place);
  const again = live(place, load, REFRESH_MS, signal);
  async function load() {
    const { schedules = [], nextPageToken } = await call("ListSchedules", { namespace, maximum_page_size: PAGE, next_page_token: tokens.at(-1) }, { signal });
    if (!schedules.length && tokens.length === 1) return none(namespace);
    const turn = (change) => () => (change(), again());
    return [
      table(namespace, schedules),
      tokens.length > 1 || nextPageToken
        ? h("div.pager", {}, h("button", { type: "button", disabled: tokens.length === 1, onclick: turn(() => tokens.pop()) }, "← Previous"), h("button", { type: "button", disabled: !nextPageToken, onclick: turn(() => tokens.push(nextPageToken)) }, "Next →"))
        : null,
    ];
  }
}

function none(namespace) {
  return empty(
    `There are no schedules in ${namespace} yet`,
    "A schedule starts a workflow again and again: every hour, on weekdays at nine, by a cron expression. Create one with “Create schedule” above, or from your code:",
    h("code.command", {}, "await client.create_schedule(…)"),
  );
}

/** A chip that says whether a schedule is at work. */
export function pausedChip(paused) {
  return h(`span.chip.is-${paused ? "paused" : "running"}`, {}, paused ? "Paused" : "Active");
}

function table(namespace, schedules) {
  const rows = schedules.map(({ scheduleId, info = {} }) => [
    pausedChip(info.paused),
    h("div", {}, link(href(["namespaces", namespace, "schedules", scheduleId]), scheduleId), info.notes ? h("div.soft.small", {}, info.notes) : null),
    info.workflowType?.name ?? "–",
    specLines(info.spec).map((line) => h("div", {}, line)),
    recent(namespace, info.recentActions ?? []),
    info.paused ? "–" : ago(info.futureActionTimes?.[0]),
  ]);
  return simpleTable("Schedules", ["State", "Schedule", "Starts", "When", "Latest", "Next"], rows);
}

function recent(namespace, actions) {
  const last = actions.at(-1);
  const run = last?.startWorkflowResult;
  if (!run) return "–";
  return h("div", {}, link(href(["namespaces", namespace, "workflows", run.workflowId, run.runId]), statusChip(last.startWorkflowStatus ?? "WORKFLOW_EXECUTION_STATUS_RUNNING"), { "aria-label": `Latest run: ${run.workflowId}` }), " ", h("span.soft.small", {}, ago(last.actualTime)));
}
