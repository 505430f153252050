/** All namespaces. */

import { call } from "../api.js";
import { h, link } from "../dom.js";
import { simpleTable } from "../facts.js";
import { length, number, seconds } from "../format.js";
import { live } from "../live.js";
import { href } from "../router.js";
import { loading } from "../states.js";
import { openRegister } from "./forms.js";
import { stateChip } from "./state.js";

const REFRESH_MS = 10_000;
const MOST = 1000;

/** @type {import("../router.js").Page} */
export function namespacesPage(root, params, signal) {
  document.title = "Namespaces · Outlast";
  const place = h("div", {}, loading("Loading namespaces"));
  root.append(h("div.head", {}, h("h1", {}, "Namespaces"), h("div.head-end", {}, h("button.primary", { type: "button", onclick: openRegister }, "Register namespace"))), place);
  live(place, async () => table((await call("ListNamespaces", { page_size: MOST }, { signal })).namespaces ?? []), REFRESH_MS, signal);
}

function table(namespaces) {
  const rows = namespaces.map(({ namespaceInfo, config }) => {
    const { name, description, ownerEmail } = namespaceInfo;
    return [
      h("div", {}, link(href(["namespaces", name]), name), description ? h("div.soft.small", {}, description) : null),
      stateChip(namespaceInfo),
      config?.workflowExecutionRetentionTtl ? length(seconds(config.workflowExecutionRetentionTtl)) : "–",
      ownerEmail || "–",
      number(Object.keys(config?.customSearchAttributeAliases ?? {}).length),
      link(href(["namespaces", name, "workflows"]), "Workflows", { "aria-label": `Workflows of ${name}` }),
    ];
  });
  return simpleTable("Namespaces", ["Name", "State", "Retention", "Owner", "Search attributes", "Go to"], rows);
}
