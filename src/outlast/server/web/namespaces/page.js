/** One namespace: how long it keeps what is closed, whose it is, its search attributes, what it can do. */

import { call } from "../api.js";
import { h, link, replace } from "../dom.js";
import { facts, simpleTable } from "../facts.js";
import { length, number, seconds, size, words } from "../format.js";
import { live } from "../live.js";
import { href } from "../router.js";
import { empty, loading } from "../states.js";
import { copyButton } from "../values.js";
import { openAddAttribute, openDelete, openRemoveAttribute, openUpdate } from "./forms.js";
import { stateChip } from "./state.js";

const REFRESH_MS = 10_000;

/** @type {import("../router.js").Page} */
export function namespacePage(root, { namespace }, signal) {
  document.title = `${namespace} · Namespaces · Outlast`;
  const state = h("span.head-status");
  const actions = h("div.head-end");
  const place = h("div.stack", {}, loading("Loading the namespace"));
  root.append(
    h("nav.crumbs", { "aria-label": "Where you are" }, link(href(["namespaces"]), "Namespaces")),
    h("div.head", {}, h("h1", {}, namespace), state, actions),
    place,
  );
  let described = null;
  const again = live(place, load, REFRESH_MS, signal);

  async function load() {
    try {
      const [description, attributes] = await Promise.all([call("DescribeNamespace", { namespace }, { signal }), call("ListSearchAttributes", { namespace }, { signal })]);
      described = description;
      replace(state, stateChip(description.namespaceInfo));
      if (!actions.firstChild) replace(actions, buttons());
      return [about(description), ownAttributes(namespace, attributes.customAttributes ?? {}, again), systemAttributes(attributes.systemAttributes ?? {}), abilities(description.namespaceInfo)];
    } catch (error) {
      if (!error.notFound) throw error;
      replace(state);
      replace(actions);
      return empty("There is no such namespace", `Nobody has registered ${namespace}, or it was deleted.`, link(href(["namespaces"]), "Look at all namespaces", { class: "button" }));
    }
  }
  function buttons() {
    return [
      link(href(["namespaces", namespace, "workflows"]), "Its workflows", { class: "button" }),
      h("button", { type: "button", onclick: () => openUpdate(described, again) }, "Change"),
      h("button.danger", { type: "button", onclick: () => openDelete(namespace) }, "Delete"),
    ];
  }
}

function about({ namespaceInfo, config, isGlobalNamespace, replicationConfig }) {
  const data = Object.entries(namespaceInfo.data ?? {});
  return h(
    "section.card",
    {},
    h("h2", {}, "About"),
    namespaceInfo.description ? h("p.about.lead", {}, namespaceInfo.description) : null,
    facts(
      ["Retention of closed workflows", config?.workflowExecutionRetentionTtl ? length(seconds(config.workflowExecutionRetentionTtl)) : "–"],
      ["Owner", namespaceInfo.ownerEmail || "–"],
      ["Id", h("span", {}, h("code", {}, namespaceInfo.id), copyButton(namespaceInfo.id, "id"))],
      ["Cluster", replicationConfig?.activeClusterName],
      ["Archive of histories", config?.historyArchivalState ? words(config.historyArchivalState, "ARCHIVAL_STATE_") : null],
      ["Archive of lists", config?.visibilityArchivalState ? words(config.visibilityArchivalState, "ARCHIVAL_STATE_") : null],
      ["Spans clusters", isGlobalNamespace ? "Yes" : "No"],
    ),
    data.length ? h("dl.fields.part", {}, data.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])) : null,
  );
}

function ownAttributes(namespace, attributes, again) {
  const names = Object.keys(attributes).sort();
  const remove = (name) => h("button.quiet", { type: "button", "aria-label": `Remove ${name}`, onclick: () => openRemoveAttribute(namespace, name, again) }, "Remove");
  const rows = names.map((name) => [h("code", {}, name), typeWords(attributes[name]), h("div.cell-end", {}, remove(name))]);
  return h(
    "section.card",
    {},
    h("div.card-head", {}, h("h2", {}, "Search attributes of its own"), h("button", { type: "button", "data-key": "add", onclick: () => openAddAttribute(namespace, again) }, "Add")),
    rows.length ? simpleTable("Search attributes of its own", ["Name", "Type", "Action"], rows) : h("p.nothing", {}, "None. A workflow may only set search attributes that were added here."),
  );
}

function systemAttributes(attributes) {
  const names = Object.keys(attributes).sort();
  const each = names.map((name) => h("li", {}, h("code", {}, name), h("span.soft.small", {}, ` ${typeWords(attributes[name])}`)));
  return h("section.card", {}, h("details", {}, h("summary", {}, `${number(names.length)} search attributes that every namespace has`), h("ul.abilities", {}, each)));
}

function typeWords(type) {
  return words(type, "INDEXED_VALUE_TYPE_");
}

function abilities({ capabilities = {}, limits = {} }) {
  const bytes = { blobSizeLimitError: "One payload", memoSizeLimitError: "A memo", workflowTaskCompletionSizeLimitError: "What one workflow task answers" };
  const most = Object.entries(bytes).filter(([name]) => limits[name]).map(([name, what]) => [what, size(limits[name])]);
  const able = Object.entries(capabilities).filter(([, on]) => on).map(([name]) => h("li", {}, h("span.dot.is-completed", { "aria-hidden": "true" }), ` ${words(name.replace(/([A-Z])/g, "_$1"))}`));
  return h("section.card", {}, h("h2", {}, "Limits and abilities"), most.length ? facts(...most) : null, able.length ? h("ul.abilities.part", {}, able) : null);
}
