/** The forms about schedules: create, pause, trigger, backfill, delete. */

import { IDENTITY, call } from "../api.js";
import { ARGUMENTS_HINT, argumentsInput, choice, field, more, openForm, readArguments } from "../dialog.js";
import { h } from "../dom.js";
import { readLength } from "../lengths.js";
import { notice } from "../notices.js";
import { go, href } from "../router.js";
import { uuid } from "../uuid.js";
import { OVERLAPS } from "./spec.js";

const ZONES = ["UTC", ...(Intl.supportedValuesOf?.("timeZone") ?? [])];

function text(value = "", options = {}) {
  return h("input", { type: "text", autocomplete: "off", value, ...options });
}

function overlapSelect() {
  return h("select", {}, Object.entries(OVERLAPS).map(([value, name]) => h("option", { value }, name)));
}

/** Create one, and go to its page. */
export function openCreate(namespace) {
  const [id, type, queue, workflowId] = [text("", { required: true }), text("", { required: true, placeholder: "OrderWorkflow" }), text("", { required: true, placeholder: "orders" }), text()];
  const input = argumentsInput();
  const [every, cron] = [text("", { placeholder: "1 h" }), h("textarea.code", { rows: 2, spellcheck: "false", placeholder: "0 9 * * MON-FRI" })];
  const zone = h("select", {}, ZONES.map((name) => h("option", { value: name }, name)));
  const [overlap, jitter, notes] = [overlapSelect(), text("", { placeholder: "10 s" }), text()];
  const [paused, onFailure] = [h("input", { type: "checkbox" }), h("input", { type: "checkbox" })];
  openForm({
    title: "Create a schedule",
    fields: [
      field("Schedule id", id),
      field("Workflow type", type, "The name under which a worker has registered it."),
      field("Task queue", queue, "The one that the worker polls."),
      field("Input", input, ARGUMENTS_HINT),
      field("Every", every, "A length of time: 30 s, 5 m, 2 h, 1 d. Or else:"),
      field("Cron", cron, "Minute, hour, day of the month, month, day of the week; one expression a line."),
      more("More options", [
        field("Time zone of cron", zone),
        field("When the one before still runs", overlap),
        field("Workflow id", workflowId, "Empty: that of the schedule. The time is put behind it."),
        field("At most so much later, at random", jitter),
        field("Notes", notes),
        choice("Pause when a workflow fails", onFailure),
        choice("Begin paused", paused),
      ]),
    ],
    action: "Create",
    submit: async () => {
      const cronString = cron.value.split("\n").map((line) => line.trim()).filter(Boolean);
      if (!every.value && !cronString.length) throw new Error("It has no times: fill in “Every”, or “Cron”.");
      const spec = {
        ...(every.value && { interval: [{ interval: readLength("Every", every.value) }] }),
        ...(cronString.length && { cronString }),
        ...(jitter.value && { jitter: readLength("At most so much later", jitter.value) }),
        timezoneName: zone.value,
      };
      const startWorkflow = { workflowId: workflowId.value || id.value, workflowType: { name: type.value }, taskQueue: { name: queue.value }, input: readArguments(input.value) };
      const schedule = { spec, action: { startWorkflow }, policies: { overlapPolicy: overlap.value, pauseOnFailure: onFailure.checked }, state: { paused: paused.checked, notes: notes.value } };
      await call("CreateSchedule", { namespace, schedule_id: id.value }, { body: { schedule, identity: IDENTITY, requestId: uuid() } });
      go(href(["namespaces", namespace, "schedules", id.value]));
    },
  });
}

function patch({ namespace, scheduleId }, body) {
  return call("PatchSchedule", { namespace, schedule_id: scheduleId }, { body: { patch: body, identity: IDENTITY, requestId: uuid() } });
}

/** Pause it, or let it go on. */
export function openPause(schedule, paused, changed) {
  const note = text("", { required: true, value: paused ? "Unpaused in the web UI" : "Paused in the web UI" });
  openForm({
    title: paused ? "Unpause this schedule" : "Pause this schedule",
    text: paused ? "It starts workflows again at its times; those that were missed are not made up for." : "It starts nothing until it is unpaused. What runs goes on.",
    fields: [field("Note", note, "Shown with the schedule.")],
    action: paused ? "Unpause" : "Pause",
    submit: async () => {
      await patch(schedule, { [paused ? "unpause" : "pause"]: note.value });
      notice(paused ? "The schedule goes on." : "The schedule is paused.");
      changed();
    },
  });
}

/** Start its workflow now. */
export function openTrigger(schedule, changed) {
  const overlap = overlapSelect();
  openForm({
    title: "Trigger this schedule now",
    text: "Starts its workflow once, besides its times.",
    fields: [field("When the one before still runs", overlap)],
    action: "Trigger",
    submit: async () => {
      await patch(schedule, { triggerImmediately: { overlapPolicy: overlap.value } });
      notice("The schedule is triggered.");
      changed();
    },
  });
}

/** Make up for times that are past. */
export function openBackfill(schedule, changed) {
  const time = () => h("input", { type: "datetime-local", required: true, step: 1 });
  const [from, to, overlap] = [time(), time(), overlapSelect()];
  overlap.value = "SCHEDULE_OVERLAP_POLICY_BUFFER_ALL";
  openForm({
    title: "Backfill this schedule",
    text: "Starts its workflow for each of its times in a range that is past.",
    fields: [field("From", from), field("Until", to), field("When the one before still runs", overlap)],
    action: "Backfill",
    submit: async () => {
      const [startTime, endTime] = [from, to].map((input) => new Date(input.value).toISOString());
      if (startTime > endTime) throw new Error("The range ends before it begins: exchange “From” and “Until”.");
      await patch(schedule, { backfillRequest: [{ startTime, endTime, overlapPolicy: overlap.value }] });
      notice("The backfill is begun.");
      changed();
    },
  });
}

/** Delete it. */
export function openDelete({ namespace, scheduleId }) {
  openForm({
    title: "Delete this schedule?",
    text: "It starts nothing any more. Workflows that it has started go on.",
    action: "Delete",
    danger: true,
    submit: async () => {
      await call("DeleteSchedule", { namespace, schedule_id: scheduleId, identity: IDENTITY });
      notice(`Schedule ${scheduleId} is deleted.`);
      go(href(["namespaces", namespace, "schedules"]));
    },
  });
}
