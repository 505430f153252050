/** Queries and the stack trace, run from the page. */

import { ARGUMENTS_HINT, argumentsInput, field, readArguments } from "../dialog.js";
import { h, replace } from "../dom.js";
import { markdown } from "../markdown.js";
import { readPayloads } from "../payloads.js";
import { failed, loading } from "../states.js";
import { traceNode } from "../failures.js";
import { payloadsNode } from "../values.js";
import { metadata, query } from "./metadata.js";
import { nameField } from "./name_field.js";

const STACK_TRACE = "__stack_trace";

/** @param {import("./run_view.js").RunView} view @param {AbortSignal} signal */
export function callsTab(view, signal) {
  const details = h("div");
  const names = nameField("Query", "status");
  const node = h("div.stack", {}, details, h("div.pair", {}, queryCard(view, names, signal), stackCard(view, signal)));
  void learn(view, names, details, signal);
  return { node, update: () => {} };
}

async function learn(view, names, details, signal) {
  try {
    const known = await metadata(view.run, signal);
    names.suggest(known.queries);
    if (known.currentDetails) replace(details, h("section.card", {}, h("h2", {}, "Current details"), markdown(known.currentDetails)));
  } catch (error) {
    if (!signal.aborted) names.suggest([], `Its code could not be asked for its queries: ${error.message}`);
  }
}

function queryCard(view, names, signal) {
  const input = argumentsInput();
  const outcome = h("div.outcome", { "aria-live": "polite" });
  async function run(event) {
    event.preventDefault();
    replace(outcome, loading("Asking"));
    try {
      const result = await query(view.run, names.input.value, readArguments(input.value), signal);
      replace(outcome, h("h3", {}, "Answer"), payloadsNode(result, "answer", "The query answered nothing"));
    } catch (error) {
      if (!signal.aborted) replace(outcome, failed(error));
    }
  }
  return h(
    "section.card",
    {},
    h("h2", {}, "Query"),
    h("form.form", { onsubmit: run }, names.node, field("Input", input, ARGUMENTS_HINT), h("div", {}, h("button.primary", { type: "submit" }, "Run query"))),
    outcome,
  );
}

function stackCard(view, signal) {
  const outcome = h("div.outcome", { "aria-live": "polite" }, h("p.nothing", {}, "Where the code of the workflow waits now. A worker replays it to find out."));
  async function run() {
    replace(outcome, loading("Asking"));
    try {
      const [value] = readPayloads(await query(view.run, STACK_TRACE, [], signal));
      const text = typeof value?.json === "string" ? value.json : value?.text ?? "";
      replace(outcome, text ? traceNode(text) : h("p.nothing", {}, "The code waits nowhere: it has ended."));
    } catch (error) {
      if (!signal.aborted) replace(outcome, failed(error));
    }
  }
  return h("section.card", {}, h("div.card-head", {}, h("h2", {}, "Stack trace"), h("button", { type: "button", onclick: run }, "Fetch stack trace")), outcome);
}
