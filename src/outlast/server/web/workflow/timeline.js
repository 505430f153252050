/** The timeline: one lane for each activity, timer, child, signal and update, against the time of the run. */

import { h, replace, s } from "../dom.js";
import { icon } from "../icons.js";
import { count, instant, length, number } from "../format.js";
import { empty } from "../states.js";
import { VirtualList } from "../virtual_list.js";
import { scaleOf, ticksOf } from "./time_scale.js";

const ROW = 34;
const BAR = 12;
/** Per cent of the width beyond which there is no room for words. */
const FULL = 88;
const SHOWN = new Set(["activity", "timer", "child", "signal", "update", "external", "task"]);
const LEGEND = [
  ["waiting", "waiting"],
  ["running", "running"],
  ["completed", "completed"],
  ["failed", "failed or timed out"],
  ["retrying", "retrying"],
  ["signal", "signal, update"],
];

/**
 * @param {import("./run_view.js").RunView} view
 * @returns {{node: HTMLElement, update: () => void}}
 */
export function timelineTab(view) {
  let lanes = [];
  let scale = null;
  const list = new VirtualList({ label: "Timeline", rowHeight: ROW, tag: "div.virtual.timeline", render: (i) => lane(lanes[i], scale) });
  const tight = h("input", { type: "checkbox", onchange: update });
  const axis = h("div.axis");
  list.node.prepend(h("div.timeline-head", {}, h("span"), axis));
  const place = h("div");
  const told = h("span.soft", { role: "status" });

  function update() {
    told.textContent = view.events.complete ? "" : `loading, ${number(view.events.all.length)} of ${number(view.info.historyLength)} events`;
    lanes = view.groups.filter((group) => SHOWN.has(group.kind));
    if (!lanes.length) {
      replace(place, view.events.complete ? empty("Nothing has happened on the way", "Activities, timers, child workflows and signals of this run appear here.") : "");
      return;
    }
    const from = instant(view.info.startTime) ?? lanes[0].from;
    scale = scaleOf(lanes, from, instant(view.info.closeTime) ?? Date.now(), tight.checked);
    replace(axis, axisOf(scale));
    if (!list.node.isConnected) replace(place, list.node);
    list.show(lanes.length);
  }
  const legend = h("ul.legend", {}, LEGEND.map(([status, name]) => h("li", {}, h(`span.key.is-${status}${status === "waiting" ? ".hollow" : ""}`, { "aria-hidden": "true" }), name)));
  const tools = h("div.tools", {}, h("label.choice", {}, tight, h("span", {}, "Hide idle time")), told, legend);
  return { node: h("section.card.flush", {}, tools, place), update };
}

function axisOf(scale) {
  return s("svg.axis-svg", { width: "100%", height: 22, role: "img", "aria-label": `From the start to ${length(scale.span / 1000)} later` }, ticksOf(scale).map(({ x, text }, i, all) => [
    s("line.tick-line", { x1: x, x2: x, y1: 16, y2: 22 }),
    s("text.tick-text", { x, y: 12, "text-anchor": i === 0 ? "start" : i === all.length - 1 ? "end" : "middle" }, text),
  ]));
}

/** A lane: its name, and its bar. */
function lane(group, scale) {
  const to = group.to ?? scale.now;
  const told = `${group.name}, ${group.status.replace("-", " ")}, ${length((to - group.from) / 1000)}${group.attempt > 1 ? `, attempt ${group.attempt}` : ""}`;
  const marks = scale.marks(group);
  const svg = s("svg.lane-svg", { width: "100%", height: ROW, role: "img", "aria-label": told }, s("title", {}, hint(group, to)), grid(scale), marks.point ? point(group, scale) : bars(group, to, scale));
  return h("div.lane", {}, h("span.lane-name", { title: group.name }, h(`span.sign.k-${group.kind}`, { "aria-hidden": "true" }, icon(group.kind)), h("span", {}, group.name)), svg);
}

function grid(scale) {
  return ticksOf(scale).map(({ x }) => s("line.grid-line", { x1: x, x2: x, y1: 0, y2: ROW }));
}

function point(group, scale) {
  return s(`circle.mark.is-${group.status}`, { cx: scale.x(group.from), cy: ROW / 2, r: 5 });
}

function bars(group, to, scale) {
  const y = (ROW - BAR) / 2;
  const bar = (from, until, name) => s(`rect.${name}.is-${group.status}`, { x: scale.x(from), y, width: scale.width(from, until), height: BAR, rx: 3 });
  const started = group.startedAt ?? (group.kind === "activity" || group.status === "waiting" && group.kind !== "timer" ? to : group.from);
  const parts = [];
  if (started > group.from) parts.push(bar(group.from, started, "wait"));
  if (started < to || group.kind === "timer") parts.push(bar(started, to, group.kind === "timer" ? "sleep" : "busy"));
  if (group.to === null) parts.push(s(`rect.edge.is-${group.status}`, { x: scale.x(to), y: y - 2, width: 2, height: BAR + 4 }));
  if (group.attempt > 1) parts.push(attempts(group, to, scale));
  return parts;
}

/** How many attempts there were, behind the bar, or before it where there is no room behind. */
function attempts(group, to, scale) {
  const behind = Number.parseFloat(scale.x(to)) < FULL;
  const place = behind ? { x: scale.x(to), dx: 6, "text-anchor": "start" } : { x: scale.x(group.from), dx: -6, "text-anchor": "end" };
  return s("text.attempts", { ...place, y: ROW / 2 + 4 }, count(group.attempt, "attempt"));
}

function hint(group, to) {
  const parts = [group.name, `took ${length((to - group.from) / 1000)}${group.to === null ? " so far" : ""}`];
  if (group.startedAt) parts.push(`waited ${length((group.startedAt - group.from) / 1000)}`);
  if (group.attempt > 1) parts.push(`attempt ${group.attempt}`);
  if (group.failure) parts.push(group.failure.message ?? "");
  return parts.join("\n");
}
