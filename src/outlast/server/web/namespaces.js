/** Namespaces: all of them, and the form that registers one. */

import { call } from "./api.js";
import { field, openForm } from "./dialog.js";
import { h, link, replace } from "./dom.js";
import { simpleTable } from "./facts.js";
import { length, seconds, words } from "./format.js";
import { notice } from "./notices.js";
import { refresh } from "./refresh.js";
import { href } from "./router.js";
import { failed, loading } from "./states.js";

const REFRESH_MS = 10_000;
const DAY_S = 86_400;

/** @type {import("./router.js").Page} */
export function namespacesPage(root, params, signal) {
  document.title = "Namespaces · Outlast";
  const place = h("div.stack", {}, loading("Loading namespaces"));
  root.append(h("div.head", {}, h("h1", {}, "Namespaces"), h("div.head-end", {}, h("button", { type: "button", onclick: () => openRegister(again) }, "Register namespace"))), place);
  const again = refresh(load, REFRESH_MS, signal);
  async function load() {
    try {
      const { namespaces = [] } = await call("ListNamespaces", { page_size: 1000 }, { signal });
      const attributes = await Promise.all(namespaces.map((each) => customAttributes(each.namespaceInfo.name, signal)));
      replace(place, table(namespaces, attributes));
    } catch (error) {
      if (!signal.aborted && !(error.unanswered && place.querySelector("table"))) replace(place, failed(error, again));
    }
  }
}

async function customAttributes(namespace, signal) {
  try {
    return (await call("ListSearchAttributes", { namespace }, { signal })).customAttributes ?? {};
  } catch (error) {
    if (error.unimplemented || error.notFound) return {};
    throw error;
  }
}

function table(namespaces, attributes) {
  const rows = namespaces.map(({ namespaceInfo, config }, i) => [
    link(href(["namespaces", namespaceInfo.name, "workflows"]), namespaceInfo.name),
    namespaceInfo.description || "–",
    h(`span.chip.${namespaceInfo.state === "NAMESPACE_STATE_REGISTERED" ? "is-completed" : "is-terminated"}`, {}, words(namespaceInfo.state, "NAMESPACE_STATE_")),
    config?.workflowExecutionRetentionTtl ? length(seconds(config.workflowExecutionRetentionTtl)) : "–",
    namespaceInfo.ownerEmail || "–",
    Object.keys(attributes[i]).length ? Object.entries(attributes[i]).map(([name, type]) => h("div", {}, h("code", {}, name), " ", h("span.soft", {}, words(type, "INDEXED_VALUE_TYPE_")))) : "–",
  ]);
  return simpleTable("Namespaces", ["Name", "Description", "State", "Retention", "Owner", "Search attributes of its own"], rows);
}

function openRegister(done) {
  const name = h("input", { type: "text", required: true, autocomplete: "off" });
  const description = h("input", { type: "text", autocomplete: "off" });
  const days = h("input", { type: "number", min: 1, value: 3, required: true });
  openForm({
    title: "Register a namespace",
    fields: [field("Name", name), field("Description", description), field("Retention in days", days, "So long closed workflows are kept.")],
    action: "Register",
    submit: async () => {
      await call("RegisterNamespace", {}, { body: { namespace: name.value, description: description.value, workflowExecutionRetentionPeriod: `${Number(days.value) * DAY_S}s` } });
      notice(`Namespace ${name.value} is registered.`);
      done();
    },
  });
}
