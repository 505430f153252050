/** The keyboard: what its keys do, and the palette that goes anywhere by a few letters. */

import { h, replace } from "./dom.js";
import { go, href } from "./router.js";
import { settings } from "./settings.js";

const PLACES = {
  Workflows: "workflows",
  Activities: "activities",
  Schedules: "schedules",
  "Batch operations": "batches",
  "Task queues": "task-queues",
  Workers: "workers",
};

const KEYS = [
  ["Ctrl K", "Go anywhere"],
  ["/", "Search"],
  ["g w", "Workflows"],
  ["g a", "Activities"],
  ["g s", "Schedules"],
  ["g q", "Task queues"],
  ["?", "This help"],
  ["Esc", "Close what is open"],
];
const GO = { w: "workflows", a: "activities", s: "schedules", q: "task-queues" };
const CHORD_MS = 1500;

/** Listen to the keys. */
export function mountKeys() {
  let chord = 0;
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openPalette();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
    const second = performance.now() - chord < CHORD_MS;
    chord = event.key === "g" ? performance.now() : 0;
    if (second && GO[event.key]) go(href(["namespaces", settings.namespace, GO[event.key]]));
    else if (event.key === "?") openHelp();
    else if (event.key === "/") {
      const box = document.querySelector("#page input[type=search]");
      if (!box) return;
      event.preventDefault();
      box.focus();
    }
  });
}

/** Show what the keys do. */
export function openHelp() {
  const dialog = h(
    "dialog",
    { "aria-label": "Keyboard", onclose: () => dialog.remove() },
    h("h2", {}, "Keyboard"),
    h("dl.keys", {}, KEYS.map(([keys, what]) => [h("dt", {}, keys.split(" ").map((key) => h("kbd", {}, key))), h("dd", {}, what)])),
    h("form", { method: "dialog" }, h("div.dialog-actions", {}, h("button", {}, "Close"))),
  );
  document.body.append(dialog);
  dialog.showModal();
}

/** What the palette offers for a text. @returns {[string, string][]} words and addresses */
function offers(text) {
  const here = settings.namespace;
  const at = (...parts) => href(["namespaces", here, ...parts]);
  const fixed = [
    ...Object.entries(PLACES).map(([name, place]) => [name, at(place)]),
    ["Namespaces", href(["namespaces"])],
    [`Namespace ${here}`, href(["namespaces", here])],
    ["Server", href(["server"])],
    ["A history from a file", href(["import"])],
  ].filter(([name]) => name.toLowerCase().includes(text.toLowerCase()));
  if (!text) return fixed;
  return [
    ...fixed,
    [`Search workflows for “${text}”`, `${at("workflows")}?${new URLSearchParams({ query: text })}`],
    [`Open the workflow “${text}”`, at("workflows", text)],
    [`Open the task queue “${text}”`, at("task-queues", text)],
  ];
}

/** Open the palette. */
export function openPalette() {
  if (document.querySelector("dialog.palette")) return;
  let chosen = 0;
  const box = h("input", { type: "text", role: "combobox", "aria-label": "Go to", "aria-expanded": "true", "aria-controls": "palette-list", placeholder: "A page, or a workflow id", autocomplete: "off", spellcheck: "false", oninput: () => show(0), onkeydown: pressed });
  const list = h("ul.palette-list", { role: "listbox", id: "palette-list", "aria-label": "Places" });
  const dialog = h("dialog.palette", { "aria-label": "Go anywhere", onclose: () => dialog.remove() }, box, list);

  function show(at) {
    const found = offers(box.value.trim());
    chosen = Math.max(0, Math.min(at, found.length - 1));
    replace(list, found.map(([name, target], i) => h("li", { role: "option", id: `palette-${i}`, "aria-selected": String(i === chosen), onclick: () => leave(target), "data-target": target }, name)));
    box.setAttribute("aria-activedescendant", `palette-${chosen}`);
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
  }
  function pressed(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      show(chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter") leave(list.children[chosen].dataset.target);
  }
  function leave(target) {
    dialog.close();
    go(target);
  }
  document.body.append(dialog);
  dialog.showModal();
  show(0);
}
