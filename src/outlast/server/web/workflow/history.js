/** The event history: compact, full or JSON; filtered by type or text; downloaded. */

import { download, h, replace } from "../dom.js";
import { number } from "../format.js";
import { current } from "../router.js";
import { empty } from "../states.js";
import { VirtualList } from "../virtual_list.js";
import { attributesOf, typeName } from "./events.js";
import { spaced } from "./groups.js";
import { compactRow, fullRow } from "./history_rows.js";
import { JsonLines } from "./json_lines.js";

const ROW = 44;
const LINE = 20;
const FORMS = { compact: "Compact", full: "Full", json: "JSON" };
const KINDS = {
  "": "Every kind",
  activity: "Activities",
  timer: "Timers",
  child: "Child workflows",
  signal: "Signals",
  update: "Updates",
  task: "Workflow tasks",
  marker: "Markers",
  workflow: "Workflow",
};

/** Kind of an event by the name of its type. */
function kindOf(type) {
  if (type.startsWith("Activity")) return "activity";
  if (type.startsWith("Timer")) return "timer";
  if (type.includes("ChildWorkflow")) return "child";
  if (type.includes("Signal")) return "signal";
  if (type.includes("Update")) return "update";
  if (type.startsWith("WorkflowTask")) return "task";
  return type.startsWith("Marker") ? "marker" : "workflow";
}

/**
 * @param {import("./run_view.js").RunView} view
 * @returns {{node: HTMLElement, update: () => void}}
 */
export function historyTab(view) {
  /** The event that the address names: it is opened once it is there. */
  let named = Number(current().query.get("event")) || 0;
  let form = named ? "full" : "compact";
  let items = [];
  const texts = new WeakMap();
  const rows = new VirtualList({ label: "Events", rowHeight: ROW, render: (i, open) => row(items[i], open, () => rows.toggle(i)) });
  const lines = new VirtualList({ label: "Events as JSON", rowHeight: LINE, tag: "div.virtual.json", render: (i) => h("div.json-line", {}, json.at(i)) });
  const json = new JsonLines(() => form === "json" && lines.more(json.count));
  const search = h("input", { type: "search", placeholder: "Find in events", "aria-label": "Find in events", oninput: changed });
  const kind = h("select", { "aria-label": "Kind of event", onchange: changed }, Object.entries(KINDS).map(([value, name]) => h("option", { value }, name)));
  const newest = h("input", { type: "checkbox", onchange: changed });
  const told = h("span.soft", { role: "status" });
  const place = h("div");
  const forms = Object.entries(FORMS).map(([value, name]) => {
    const button = h("button", { type: "button", "aria-pressed": String(value === form), onclick: () => choose(value, button) }, name);
    return button;
  });

  function choose(value, button) {
    form = value;
    for (const each of forms) each.setAttribute("aria-pressed", String(each === button));
    changed();
  }
  function changed() {
    rows.reset();
    lines.reset();
    json.begin([]);
    update();
  }
  function row(item, open, toggle) {
    return form === "full" ? fullRow(item, open, toggle, view) : compactRow(item, open, toggle, view);
  }
  function update() {
    const wanted = search.value.trim().toLowerCase();
    const compact = form === "compact";
    const all = compact ? view.groups : view.events.all;
    const shown = all.filter((each) => fits(each, compact, kind.value, wanted, texts));
    if (newest.checked) shown.reverse();
    items = shown;
    if (form === "json") json.follow(shown);
    const total = view.events.all.length;
    const noun = compact ? "steps" : "events";
    told.textContent = `${number(shown.length)}${shown.length < all.length ? ` of ${number(all.length)}` : ""} ${noun}${view.events.complete ? "" : ` · loading, ${number(total)} of ${number(view.info.historyLength)} events`}`;
    const list = form === "json" ? lines : rows;
    if (!shown.length && view.events.complete) replace(place, empty("No event matches", "Choose every kind and clear the text.", h("button", { type: "button", onclick: clear }, "Show all events")));
    else {
      if (!list.node.isConnected) replace(place, list.node);
      list.show(form === "json" ? json.count : items.length);
      if (named && items.length >= named && form === "full") open(named - 1);
    }
  }
  function open(index) {
    named = 0;
    rows.toggle(index);
    rows.reveal(index);
  }
  function clear() {
    search.value = kind.value = "";
    changed();
  }
  const tools = h(
    "div.tools",
    {},
    h("div.segments", { role: "group", "aria-label": "Form" }, forms),
    kind,
    search,
    h("label.choice", {}, newest, h("span", {}, "Newest first")),
    told,
    h("button.tools-end", { type: "button", onclick: () => save(view) }, "Download"),
  );
  return { node: h("section.card.flush", {}, tools, place), update };
}

function fits(item, compact, kind, wanted, texts) {
  const own = compact ? item.kind : kindOf(typeName(item));
  if (kind && own !== kind && !(kind === "signal" && own === "external")) return false;
  return !wanted || textOf(item, compact, texts).includes(wanted);
}

/** What a search looks at; made once, and for a group again when it has grown. */
function textOf(item, compact, texts) {
  const events = compact ? item.events : [item];
  const known = texts.get(item);
  if (known?.length === events.length) return known.text;
  const text = [compact ? item.name : "", ...events.map((event) => `${event.eventId} ${typeName(event)} ${spaced(typeName(event))} ${decoded(attributesOf(event))}`)].join(" ").toLowerCase();
  texts.set(item, { length: events.length, text });
  return text;
}

function decoded(attributes) {
  return JSON.stringify(attributes, (key, value) => {
    if (key !== "data" || typeof value !== "string") return value;
    try {
      return new TextDecoder().decode(Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0)));
    } catch {
      return value;
    }
  });
}

function save(view) {
  download(`${view.run.workflowId}.json`, JSON.stringify({ events: view.events.all }, null, 2));
}
