/** Views of the list: those that everybody needs, and the user's own, kept in the browser. */

import { field, openForm } from "../dialog.js";
import { h } from "../dom.js";
import { menu, menuItem } from "../menu.js";
import { settings } from "../settings.js";

/** Views, without what they leave at its default. @type {Object<string, () => Partial<import("./filter.js").View>>} */
const BUILT_IN = {
  "All workflows": () => ({}),
  "Failed today": () => ({ text: `ExecutionStatus IN ('Failed', 'TimedOut') AND CloseTime >= '${midnight()}'`, sort: "CloseTime DESC" }),
  "Blocked workflow tasks": () => ({ status: "Blocked" }),
  "Running longest": () => ({ status: "Running", sort: "StartTime ASC" }),
  "Just closed": () => ({ text: "CloseTime IS NOT NULL", sort: "CloseTime DESC" }),
  "Longest histories": () => ({ sort: "HistoryLength DESC" }),
};

function midnight() {
  return new Date(new Date().setHours(0, 0, 0, 0)).toISOString();
}

/**
 * The menu of views.
 *
 * @param {() => import("./filter.js").View} now what is shown
 * @param {(view: Partial<import("./filter.js").View>) => void} choose
 */
export function viewMenu(now, choose) {
  return menu("Views", (close) => {
    const item = (name, view) => menuItem(name, () => {
      close();
      choose(view());
    });
    const own = Object.entries(settings.views);
    return [
      Object.entries(BUILT_IN).map(([name, view]) => item(name, view)),
      own.length ? h("p.menu-title", {}, "Your own") : null,
      own.map(([name, view]) => h("div.menu-line", {}, item(name, () => view), h("button.quiet.icon", { type: "button", "aria-label": `Forget the view ${name}`, title: "Forget", onclick: () => forget(name, close) }, "×"))),
      h("hr"),
      menuItem("Save this view …", () => {
        close();
        openSave(now());
      }),
    ];
  });
}

function forget(name, close) {
  const { [name]: _, ...rest } = settings.views;
  settings.views = rest;
  close();
}

function openSave(view) {
  const name = h("input", { type: "text", required: true, autocomplete: "off", maxlength: 80 });
  openForm({
    title: "Save this view",
    text: "Search, status, time and order as they are now, kept in this browser.",
    fields: [field("Name", name)],
    action: "Save",
    submit: async () => {
      settings.views = { ...settings.views, [name.value]: view };
    },
  });
}
