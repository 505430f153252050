/** The composition root: which page is where. */

import { href, redirect, route, start } from "./router.js";
import { settings } from "./settings.js";
import { importPage } from "./imported/page.js";
import { mountKeys } from "./palette.js";
import { mountShell } from "./shell.js";
import { empty } from "./states.js";
import { link } from "./dom.js";
import { activitiesPage } from "./activities/list.js";
import { activityPage } from "./activities/page.js";
import { batchesPage } from "./batches/list.js";
import { batchPage } from "./batches/page.js";
import { namespacesPage } from "./namespaces/list.js";
import { namespacePage } from "./namespaces/page.js";
import { schedulesPage } from "./schedules/list.js";
import { schedulePage } from "./schedules/page.js";
import { serverPage } from "./server.js";
import { taskQueuePage, taskQueuesPage } from "./task_queues.js";
import { workersPage } from "./workers.js";
import { workflowPage } from "./workflow/page.js";
import { workflowsPage } from "./list/page.js";

route("/", () => redirect(href(["namespaces", settings.namespace, "workflows"])));
route("/namespaces", namespacesPage);
route("/namespaces/:namespace", namespacePage);
route("/namespaces/:namespace/workflows", workflowsPage);
route("/namespaces/:namespace/workflows/:workflowId", workflowPage);
route("/namespaces/:namespace/workflows/:workflowId/:runId", workflowPage);
route("/namespaces/:namespace/workflows/:workflowId/:runId/:tab", workflowPage);
route("/namespaces/:namespace/activities", activitiesPage);
route("/namespaces/:namespace/activities/:activityId", activityPage);
route("/namespaces/:namespace/activities/:activityId/:runId", activityPage);
route("/namespaces/:namespace/schedules", schedulesPage);
route("/namespaces/:namespace/schedules/:scheduleId", schedulePage);
route("/namespaces/:namespace/batches", batchesPage);
route("/namespaces/:namespace/batches/:jobId", batchPage);
route("/namespaces/:namespace/task-queues", taskQueuesPage);
route("/namespaces/:namespace/task-queues/:queue", taskQueuePage);
route("/namespaces/:namespace/workers", workersPage);
route("/server", serverPage);
route("/import", importPage);
route("/import/:tab", importPage);

function otherwise(root) {
  root.append(
    empty("There is no page at this address", "The link may be from another version.", link(href([]), "Go to the workflows", { class: "button" })),
  );
}

const shell = mountShell();
const page = document.getElementById("page");
document.getElementById("skip").addEventListener("click", () => page.focus());
mountKeys();
start(page, { otherwise, onChange: shell.show });
