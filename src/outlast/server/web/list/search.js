/** The search box and the time range above the list. */

import { h } from "../dom.js";
import { RANGES, isFilter } from "./filter.js";

const OWN = "own";
const TYPING_MS = 350;

/**
 * @param {import("./filter.js").View} view
 * @param {(part: object) => void} change called with what the user changed
 */
export function searchBar(view, change) {
  let timer = null;
  const box = h("input.search", {
    type: "search",
    value: view.text,
    placeholder: "Workflow id, type, or a filter: WorkflowType = 'Order' AND StartTime > '2026-01-01'",
    "aria-label": "Search workflows by id, type or list filter",
    spellcheck: "false",
    autocomplete: "off",
    oninput: typed,
  });
  const range = rangeSelect();
  const from = h("input", { type: "datetime-local", "aria-label": "Started from" });
  const to = h("input", { type: "datetime-local", "aria-label": "Started until" });
  const own = h("span.own-range", { hidden: true }, from, h("span", { "aria-hidden": "true" }, "–"), to);
  range.addEventListener("change", () => {
    own.hidden = range.value !== OWN;
    change({ range: range.value === OWN ? between(from, to) : range.value });
  });
  for (const input of [from, to]) input.addEventListener("change", () => change({ range: between(from, to) }));
  fillRange(view.range);

  function fillRange(text) {
    range.value = text.includes("/") ? OWN : text;
    own.hidden = range.value !== OWN;
    [from.value, to.value] = text.includes("/") ? text.split("/").map(local) : ["", ""];
  }
  function typed() {
    clearTimeout(timer);
    // A filter is incomplete until it is finished: it is sent on Enter.
    if (!isFilter(box.value)) timer = setTimeout(send, TYPING_MS);
  }
  function send() {
    clearTimeout(timer);
    change({ text: box.value });
  }
  function submit(event) {
    event.preventDefault();
    send();
  }
  /** Show what was chosen elsewhere. */
  function set(chosen) {
    clearTimeout(timer);
    box.value = chosen.text;
    fillRange(chosen.range);
  }
  function reset() {
    set({ text: "", range: "" });
    change({ text: "", status: "", range: "" });
    box.focus();
  }
  const node = h("form.searches", { role: "search", onsubmit: submit }, box, range, own, h("button", { type: "submit" }, "Search"));
  return { node, reset, set };
}

function rangeSelect() {
  return h(
    "select",
    { "aria-label": "Time range of the start" },
    [...RANGES, [OWN, "From … until …"]].map(([value, name]) => h("option", { value }, name)),
  );
}

function between(from, to) {
  const [start, end] = [from, to].map((input) => (input.value ? new Date(input.value).toISOString() : ""));
  return start || end ? `${start}/${end}` : "";
}

function local(text) {
  if (!text) return "";
  const date = new Date(text);
  return new Date(date - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
