/** One standalone activity: how it stands, its attempts, its last failure and heartbeat, its input and outcome. */

import { call } from "../api.js";
import { h, link, replace } from "../dom.js";
import { ago, facts, when } from "../facts.js";
import { failureNode } from "../failures.js";
import { length, number, seconds, words } from "../format.js";
import { live } from "../live.js";
import { inline } from "../markdown.js";
import { plain, readFields } from "../payloads.js";
import { href, redirect } from "../router.js";
import { empty, loading } from "../states.js";
import { copyButton, payloadsNode, valueNode } from "../values.js";
import { activityButtons } from "./operations.js";
import { activityChip, isOpen, isPaused } from "./statuses.js";

const REFRESH_MS = 2000;
const EVERYTHING = { include_input: true, include_outcome: true, include_heartbeat_details: true, include_last_failure: true };

/** @type {import("../router.js").Page} */
export function activityPage(root, { namespace, activityId, runId }, signal) {
  document.title = `${activityId} · Outlast`;
  const state = h("span.head-status");
  const actions = h("div.head-end");
  const place = h("div.stack", {}, loading("Loading the activity"));
  root.append(
    h("nav.crumbs", { "aria-label": "Where you are" }, link(href(["namespaces", namespace, "activities"]), "Activities")),
    h("div.head", {}, h("h1", {}, activityId), copyButton(activityId, "activity id"), state, actions),
    place,
  );
  let shown = "";
  let over = false;
  const again = live(place, load, REFRESH_MS, signal);

  async function load() {
    if (over) return null;
    try {
      const description = await call("DescribeActivityExecution", { namespace, activity_id: activityId, run_id: runId, ...EVERYTHING }, { signal });
      if (!runId) return redirect(href(["namespaces", namespace, "activities", activityId, description.runId])), null;
      return show(description);
    } catch (error) {
      if (!error.notFound) throw error;
      over = true;
      replace(state);
      replace(actions);
      return empty("There is no such activity", `${activityId} has never run by itself in the namespace ${namespace}, or its retention is over and it was deleted.`, link(href(["namespaces", namespace, "activities"]), "Look at all activities", { class: "button" }));
    }
  }
  function show(description) {
    const { info } = description;
    const key = [info.status, info.runState, (info.attempt ?? 1) > 1].join(" ");
    if (key !== shown) {
      shown = key;
      replace(state, activityChip(info));
      replace(actions, activityButtons({ namespace, activityId, runId }, { open: isOpen(info), paused: isPaused(info) }, again));
    }
    over = !isOpen(info);
    return [
      stateCard(namespace, info),
      info.lastFailure && isOpen(info) ? h("section.card", {}, h("h2", {}, "Last failure"), failureNode(info.lastFailure)) : null,
      info.heartbeatDetails ? h("section.card", {}, h("h2", {}, "Heartbeat details"), payloadsNode(info.heartbeatDetails, "heartbeat")) : null,
      h("div.pair", {}, h("section.card", {}, h("h2", {}, "Input"), payloadsNode(description.input, "input", "No input")), outcomeCard(description)),
      detailsCard(info, runId),
      fieldsCard(info),
    ];
  }
}

function stateCard(namespace, info) {
  const most = Number(info.retryPolicy?.maximumAttempts ?? 0);
  const next = isOpen(info) && info.nextAttemptScheduleTime ? ago(info.nextAttemptScheduleTime) : null;
  return h(
    "section.card",
    {},
    info.userMetadata?.summary ? h("p.lead", {}, inline(String(plain(info.userMetadata.summary)))) : null,
    facts(
      ["Type", info.activityType?.name],
      ["Task queue", link(href(["namespaces", namespace, "task-queues", info.taskQueue]), info.taskQueue)],
      ["Attempt", `${number(info.attempt ?? 1)} of ${most ? number(most) : "any number"}`],
      ["State", isOpen(info) && info.runState ? words(info.runState, "PENDING_ACTIVITY_STATE_") : null],
      ["Next attempt", next],
      ["Started", when(info.scheduleTime)],
      ["Closed", info.closeTime ? when(info.closeTime) : null],
      ["Duration", info.executionDuration ? length(seconds(info.executionDuration)) : null],
      ["Last attempt began", info.lastStartedTime ? ago(info.lastStartedTime) : null],
      ["Last heartbeat", info.lastHeartbeatTime ? ago(info.lastHeartbeatTime) : null],
      ["Last worker", info.lastWorkerIdentity],
      ["Cancellation", info.canceledReason],
    ),
  );
}

function outcomeCard({ info, outcome }) {
  if (outcome?.failure) return h("section.card", {}, h("h2", {}, "Failure"), failureNode(outcome.failure));
  if (isOpen(info)) return h("section.card", {}, h("h2", {}, "Result"), h("p.nothing", {}, "Not yet: the activity is not done."));
  return h("section.card", {}, h("h2", {}, "Result"), payloadsNode(outcome?.result, "result", "No result"));
}

function detailsCard(info, runId) {
  const timeout = (value) => (seconds(value) ? length(seconds(value)) : null);
  return h(
    "section.card",
    {},
    h("h2", {}, "Details"),
    facts(
      ["Run id", h("span", {}, h("code", {}, runId), copyButton(runId, "run id"))],
      ["One attempt may take", timeout(info.startToCloseTimeout)],
      ["All attempts may take", timeout(info.scheduleToCloseTimeout)],
      ["May wait for a worker", timeout(info.scheduleToStartTimeout)],
      ["Heartbeat at least every", timeout(info.heartbeatTimeout)],
      ["Ends at the latest", info.expirationTime ? when(info.expirationTime) : null],
      ["First retry after", timeout(info.retryPolicy?.initialInterval)],
      ["Later retries after", info.retryPolicy?.backoffCoefficient ? `${info.retryPolicy.backoffCoefficient} times as long, at most ${length(seconds(info.retryPolicy.maximumInterval))}` : null],
      ["State transitions", info.stateTransitionCount ? number(info.stateTransitionCount) : null],
    ),
  );
}

function fieldsCard(info) {
  const fields = readFields(info.searchAttributes?.indexedFields);
  if (!fields.length) return null;
  return h("section.card", {}, h("h2", {}, "Search attributes"), h("dl.fields", {}, fields.map(([name, value]) => [h("dt", {}, name), h("dd", {}, valueNode(value, name))])));
}
