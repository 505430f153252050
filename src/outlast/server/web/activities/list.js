/** Standalone activities: found, counted by status, paged. */

import { call } from "../api.js";
import { h, link, replace } from "../dom.js";
import { ago, simpleTable } from "../facts.js";
import { length, number, seconds } from "../format.js";
import { isFilter, quoted } from "../list/filter.js";
import { live } from "../live.js";
import { plain } from "../payloads.js";
import { current, href, remember } from "../router.js";
import { empty, loading } from "../states.js";
import { statusClass, statusWords } from "../statuses.js";
import { openStart } from "./start.js";
import { STATUSES, activityChip } from "./statuses.js";

const REFRESH_MS = 3000;
const PAGE_SIZE = 50;

/** @type {import("../router.js").Page} */
export function activitiesPage(root, { namespace }, signal) {
  document.title = `Activities · ${namespace} · Outlast`;
  const asked = current().query;
  const view = { text: asked.get("query") ?? "", status: asked.get("status") ?? "" };
  const pages = [""];
  const total = h("span.total");
  const counts = h("div.counts", { role: "group", "aria-label": "Filter by status" });
  const place = h("div", {}, loading("Loading activities"));
  const box = h("input.search", { type: "search", value: view.text, placeholder: "Activity id, type, or a filter: ActivityType = 'charge' AND StartTime > '2026-01-01'", "aria-label": "Search activities by id, type or list filter", spellcheck: "false", autocomplete: "off" });
  root.append(
    h("div.head", {}, h("h1", {}, "Activities"), total, h("div.head-end", {}, h("button.primary", { type: "button", onclick: () => openStart(namespace) }, "Start activity"))),
    h("form.searches", { role: "search", onsubmit: search }, box, h("button", { type: "submit" }, "Search")),
    counts,
    place,
  );
  const again = live(place, load, REFRESH_MS, signal);

  function search(event) {
    event.preventDefault();
    change({ text: box.value });
  }
  function change(part) {
    Object.assign(view, part);
    pages.splice(1);
    remember({ query: view.text, status: view.status });
    again();
  }
  async function load() {
    const where = condition(view);
    const token = pages.at(-1);
    const [list, numbers] = await Promise.all([
      call("ListActivityExecutions", { namespace, query: where, page_size: PAGE_SIZE, next_page_token: token }, { signal }),
      byStatus(namespace, condition({ ...view, status: "" }), signal),
    ]);
    if (token !== pages.at(-1) || where !== condition(view)) return null;
    showCounts(counts, numbers, view.status, (status) => change({ status }));
    const matching = numbers.get(view.status) ?? 0;
    total.textContent = `${number(matching)} ${matching === 1 ? "activity" : "activities"}`;
    const found = list.executions ?? [];
    if (!found.length) return nothing(view, namespace, () => ((box.value = ""), change({ text: "", status: "" })));
    return [table(namespace, found), pager(pages, list.nextPageToken, again)];
  }
}

function condition({ text, status }) {
  const value = quoted(text.trim());
  const search = !text.trim() || isFilter(text) ? text.trim() : `ActivityId STARTS_WITH ${value} OR ActivityType STARTS_WITH ${value}`;
  const parts = [search, status && `ExecutionStatus = '${status}'`].filter(Boolean);
  return parts.length > 1 ? parts.map((part) => `(${part})`).join(" AND ") : parts.join("");
}

async function byStatus(namespace, where, signal) {
  const answer = await call("CountActivityExecutions", { namespace, query: `${where} GROUP BY ExecutionStatus`.trim() }, { signal });
  const numbers = new Map((answer.groups ?? []).map((group) => [plain(group.groupValues[0]), Number(group.count)]));
  return numbers.set("", Number(answer.count ?? 0));
}

function showCounts(node, numbers, chosen, choose) {
  const shown = ["", ...STATUSES].filter((status) => !status || status === chosen || numbers.get(status));
  const focused = node.contains(document.activeElement) ? document.activeElement.dataset.status : null;
  replace(node, shown.map((status) => h(
    "button.count",
    { type: "button", "aria-pressed": String(status === chosen), "data-status": status, onclick: () => choose(status === chosen ? "" : status) },
    status ? h(`span.dot.is-${statusClass(status)}`, { "aria-hidden": "true" }) : null,
    h("span.count-name", {}, status ? statusWords(status) : "All"),
    h("span.count-number", {}, number(numbers.get(status) ?? 0)),
  )));
  if (focused !== null) [...node.children].find((button) => button.dataset.status === focused)?.focus();
}

function nothing(view, namespace, reset) {
  if (view.text || view.status) return empty("No activity matches", "Try a shorter text or another status.", h("button", { type: "button", onclick: reset }, "Show all activities"));
  return empty(
    `There are no activities of their own in ${namespace} yet`,
    "An activity that needs no workflow around it is started by itself: with “Start activity” above, or from your code:",
    h("code.command", {}, "await client.start_activity(…)"),
  );
}

function table(namespace, found) {
  const rows = found.map((info) => [
    activityChip(info),
    link(href(["namespaces", namespace, "activities", info.activityId, info.runId]), info.activityId),
    info.activityType?.name ?? "–",
    info.taskQueue ?? "–",
    ago(info.scheduleTime),
    ago(info.closeTime),
    info.executionDuration ? length(seconds(info.executionDuration)) : "–",
  ]);
  return simpleTable("Activities", ["Status", "Activity id", "Type", "Task queue", "Started", "Closed", "Duration"], rows);
}

function pager(pages, next, again) {
  if (pages.length === 1 && !next) return null;
  const turn = (change) => () => (change(), again());
  return h(
    "div.pager",
    {},
    h("button", { type: "button", disabled: pages.length === 1, onclick: turn(() => pages.pop()) }, "← Previous"),
    h("span", {}, `Page ${number(pages.length)}`),
    h("button", { type: "button", disabled: !next, onclick: turn(() => pages.push(next)) }, "Next →"),
  );
}
