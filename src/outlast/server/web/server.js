/** The server: what it is, and whether it is well. */

import { call } from "./api.js";
import { h, link, replace } from "./dom.js";
import { facts } from "./facts.js";
import { count, length } from "./format.js";
import { refresh } from "./refresh.js";
import { href } from "./router.js";
import { failed, loading } from "./states.js";

const REFRESH_MS = 3000;

/** @type {import("./router.js").Page} */
export function serverPage(root, params, signal) {
  document.title = "Server · Outlast";
  const place = h("div.stack", {}, loading("Asking the server"));
  root.append(h("div.head", {}, h("h1", {}, "Server")), place);
  const again = refresh(load, REFRESH_MS, signal);
  async function load() {
    try {
      const from = performance.now();
      const [system, cluster, list] = await Promise.all([
        call("GetSystemInfo", {}, { signal }),
        call("GetClusterInfo", {}, { signal }),
        call("ListNamespaces", { page_size: 1000 }, { signal }),
      ]);
      replace(place, health((performance.now() - from) / 1000, list.namespaces ?? []), about(system, cluster), abilities(system.capabilities ?? {}), forMachines());
    } catch (error) {
      if (!signal.aborted) replace(place, failed(error, again));
    }
  }
}

function health(took, namespaces) {
  return h(
    "section.card",
    {},
    h("div.card-head", {}, h("h2", {}, "Health"), h("span.chip.is-completed", {}, "Serving")),
    facts(["Answers in", length(took)], ["Has", count(namespaces.length, "namespace")]),
  );
}

function about(system, cluster) {
  const clients = Object.entries(cluster.supportedClients ?? {}).map(([name, range]) => h("div", {}, h("code", {}, name), ` ${range}`));
  return h(
    "section.card",
    {},
    h("h2", {}, "About"),
    facts(
      ["Version", system.serverVersion || cluster.serverVersion],
      ["Cluster", cluster.clusterName],
      ["Cluster id", cluster.clusterId],
      ["Storage", cluster.persistenceStore],
      ["Visibility", cluster.visibilityStore],
      ["History shards", cluster.historyShardCount],
      ["Clients", clients.length ? clients : null],
    ),
  );
}

function abilities(capabilities) {
  const each = Object.entries(capabilities).map(([name, on]) =>
    h("li", {}, h(`span.dot.${on ? "is-completed" : "is-unspecified"}`, { "aria-hidden": "true" }), ` ${inWords(name)}`, on ? null : h("span.soft", {}, " (no)")),
  );
  return h("section.card", {}, h("h2", {}, "Abilities"), each.length ? h("ul.abilities", {}, each) : h("p.nothing", {}, "The server names none."));
}

/** What the server says to programs; opened beside the page. */
function forMachines() {
  const each = Object.entries({ "api/v1/openapi.json": "The JSON API, described in OpenAPI", healthz: "Health, for what watches over servers", metrics: "Metrics, in the format of Prometheus" });
  const items = each.map(([path, what]) => h("li", {}, link(href(path.split("/")), `/${path}`, { target: "_blank", rel: "noopener" }), h("span.soft", {}, ` ${what}`)));
  return h("section.card", {}, h("h2", {}, "For programs"), h("ul.plain", {}, items));
}

function inWords(name) {
  const text = name.replace(/([A-Z])/g, " $1").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
