/** A history from a file, looked at without a server: nothing of it leaves the browser. */

import { h, link, replace } from "../dom.js";
import { facts, when } from "../facts.js";
import { instant, length } from "../format.js";
import { go, href } from "../router.js";
import { statusChip } from "../statuses.js";
import { historyTab } from "../workflow/history.js";
import { summaryTab } from "../workflow/summary.js";
import { timelineTab } from "../workflow/timeline.js";
import { FileView, readEvents } from "./file_view.js";

const TABS = { summary: ["Summary", summaryTab], timeline: ["Timeline", timelineTab], history: ["History", historyTab] };

/** The file that was opened last, until the page is loaded anew. @type {{name: string, view: FileView}|null} */
let opened = null;

/** @type {import("../router.js").Page} */
export function importPage(root, { tab = "summary" }) {
  document.title = "A history from a file · Outlast";
  if (opened) show(root, opened, TABS[tab] ? tab : "summary");
  else choose(root);
}

function choose(root) {
  const problem = h("div", { "aria-live": "polite" });
  const input = h("input", { type: "file", accept: ".json,application/json", "aria-label": "History in a JSON file", onchange: () => open(input.files[0]) });
  async function open(file) {
    if (!file) return;
    try {
      opened = { name: file.name, view: new FileView(readEvents(await file.text()), file.name) };
      go(href(["import", "summary"]));
    } catch (error) {
      replace(problem, h("div.problem", { role: "alert" }, h("p.problem-title", {}, `${file.name} cannot be shown`), h("p.problem-text", {}, error.message)));
    }
  }
  const drop = (event) => {
    event.preventDefault();
    void open(event.dataTransfer.files[0]);
  };
  root.append(
    h("div.head", {}, h("h1", {}, "A history from a file")),
    h(
      "div.empty",
      { ondragover: (event) => event.preventDefault(), ondrop: drop },
      h("p.empty-title", {}, "Open the history of a workflow"),
      h("p", {}, "A JSON file, as “Download” under History or “outlast workflow show --output json” writes it. It is read in this browser and sent nowhere."),
      h("div.empty-next", {}, input),
    ),
    problem,
  );
}

function show(root, { name, view }, tab) {
  const content = TABS[tab][1](view, new AbortController().signal);
  const { info } = view;
  const [from, to] = [instant(info.startTime), instant(info.closeTime)];
  const close = () => {
    opened = null;
    go(href(["import"]));
  };
  root.append(
    h("div.head", {}, h("h1", {}, view.run.workflowId), h("span.head-status", {}, statusChip(info.status)), h("div.head-end", {}, h("button", { type: "button", onclick: close }, "Open another file"))),
    h("div.about-run", {}, facts(["File", name], ["Type", info.type?.name], ["Task queue", info.taskQueue], ["Started", when(info.startTime)], ["Closed", info.closeTime ? when(info.closeTime) : null], ["Duration", from !== null && to !== null ? length((to - from) / 1000) : null])),
    h("nav.tabs", { "aria-label": "Parts of the workflow" }, Object.entries(TABS).map(([key, [title]]) => link(href(["import", key]), title, { "aria-current": key === tab ? "page" : null }))),
    content.node,
  );
  content.update();
}
