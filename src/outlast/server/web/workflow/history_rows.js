/** Rows of the history: a step with the events it is made of, or an event. */

import { h, link } from "../dom.js";
import { icon } from "../icons.js";
import { fullTime, instant, length } from "../format.js";
import { rootMessage } from "../failures.js";
import { href } from "../router.js";
import { statusChip } from "../statuses.js";
import { eventDetails } from "./event_details.js";
import { attributesOf, typeName } from "./events.js";
import { spaced } from "./groups.js";

const WORDS = { activity: "Activity", timer: "Timer", child: "Child workflow", signal: "Signal", update: "Update", external: "To another workflow", marker: "Marker", task: "Workflow task", workflow: "Workflow" };

/** What an event says in one line: the first of these attributes that it has. */
const TELLING = [
  (a) => a.activityType?.name,
  (a) => a.signalName,
  (a) => a.failure && rootMessage(a.failure),
  (a) => a.acceptedRequest?.input?.name,
  (a) => a.markerName,
  (a) => a.startToFireTimeout,
  (a) => (a.workflowExecution?.workflowId ?? a.workflowId),
  (a) => a.workflowType?.name,
  (a) => a.reason,
  (a) => a.taskQueue?.name,
];

function since(view, at) {
  const from = instant(view.info.startTime);
  return from === null || at === null ? "" : `+${length((at - from) / 1000)}`;
}

function openButton(open, toggle, label) {
  return h("button.quiet.twist", { type: "button", "aria-expanded": String(open), "aria-label": `${open ? "Close" : "Open"} ${label}`, onclick: (event) => { event.stopPropagation(); toggle(); } }, icon(open ? "open" : "closed"));
}

/** Clicks on the line open it as well, but not those that select text or follow a link. */
function line(cells, toggle) {
  return h("div.row-line", { onclick: (event) => !event.target.closest("a") && !String(getSelection()) && toggle() }, cells);
}

/** A step. @param {import("./groups.js").Group} group */
export function compactRow(group, open, toggle, view) {
  const first = group.events[0];
  const took = group.kind === "signal" || group.kind === "workflow" ? "" : group.to !== null ? length((group.to - group.from) / 1000) : "open";
  const cells = [
    openButton(open, toggle, `step ${group.name}`),
    h("span.row-id.num", {}, first.eventId),
    h(`span.sign.k-${group.kind}`, { title: WORDS[group.kind], "aria-hidden": "true" }, icon(group.kind)),
    h("span.row-name", { title: group.name }, h("span.row-kind", {}, WORDS[group.kind]), " ", h("span", {}, group.name)),
    chipOf(group),
    h("span.row-took.num", {}, took),
    h("span.row-time.num", { title: fullTime(first.eventTime) }, since(view, group.from)),
  ];
  const details = open ? h("div.row-details", {}, group.events.map((event) => step(event, view))) : null;
  return h(`div.row${open ? ".is-open" : ""}`, {}, line(cells, toggle), details);
}

function chipOf(group) {
  if (group.attempt > 1) return h(`span.chip.is-${group.status}`, {}, group.status === "retrying" ? `Attempt ${group.attempt}` : `${statusText(group.status)}, attempt ${group.attempt}`);
  if (["signal", "unspecified"].includes(group.status)) return h("span");
  if (group.kind === "workflow") return h("span");
  return group.status === "waiting" ? h("span.chip.is-waiting", {}, "Waiting") : statusChip(group.status);
}

function statusText(status) {
  return status.charAt(0).toUpperCase() + status.slice(1).replace("-", " ");
}

function step(event, view) {
  return h("section.step", {}, h("h3.step-title", {}, h("span.num.soft", {}, eventLink(event, view)), " ", spaced(typeName(event)), " ", h("span.soft.num", {}, since(view, instant(event.eventTime)))), eventDetails(event, view.run.namespace));
}

/** The number of an event, which leads to it. */
function eventLink(event, { run, offline }) {
  if (offline) return event.eventId;
  return link(href(["namespaces", run.namespace, "workflows", run.workflowId, run.runId, "history"], { event: event.eventId }), event.eventId, { "aria-label": `Link to event ${event.eventId}` });
}

/** An event. */
export function fullRow(event, open, toggle, view) {
  const type = typeName(event);
  const attributes = attributesOf(event);
  const telling = TELLING.map((each) => each(attributes)).find(Boolean) ?? "";
  const cells = [
    openButton(open, toggle, `event ${event.eventId}`),
    h("span.row-id.num", {}, event.eventId),
    h("span.row-name", { title: telling }, h("span.row-type", {}, spaced(type)), " ", h("span.soft", {}, telling)),
    h("span.row-time.num", { title: fullTime(event.eventTime) }, since(view, instant(event.eventTime))),
  ];
  return h(`div.row.is-event${open ? ".is-open" : ""}`, {}, line(cells, toggle), open ? h("div.row-details", {}, h("p.soft", {}, "Event ", eventLink(event, view)), eventDetails(event, view.run.namespace)) : null);
}
