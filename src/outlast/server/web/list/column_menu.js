/** The menu in which the columns of the list are chosen and put in order. */

import { h, replace } from "../dom.js";
import { menu, menuItem } from "../menu.js";
import { settings } from "../settings.js";
import { COLUMNS, allColumns, chosenColumns } from "./columns.js";

/**
 * @param {() => Promise<Object<string, string>>} attributes the namespace's own search attributes
 * @param {(columns: import("./columns.js").Column[]) => void} changed
 */
export function columnMenu(attributes, changed) {
  let all = [];
  function save(keys) {
    settings.columns = keys;
    changed(chosenColumns(all, keys));
  }
  function build() {
    const place = h("div", {}, h("p.menu-note", {}, "Loading the search attributes …"));
    void fill(place);
    return place;
  }
  async function fill(place) {
    all = allColumns(await attributes());
    show(place);
  }
  function show(place) {
    const keys = chosenColumns(all, settings.columns).map((column) => column.key);
    const on = keys.map((key) => all.find((column) => column.key === key));
    const off = all.filter((column) => !keys.includes(column.key));
    const set = (next, focus) => {
      save(next);
      show(place);
      place.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
    };
    replace(
      place,
      h("p.menu-title", {}, "Columns, from left to right"),
      on.map((column, i) => line(column, keys, i, set)),
      off.map((column) => line(column, keys, -1, set)),
      menuItem("The usual columns", () => set(COLUMNS.map((column) => column.key), "tick id")),
    );
  }
  return menu("Columns", build);
}

function line(column, keys, at, set) {
  const tick = `tick ${column.key}`;
  const toggle = () => set(at < 0 ? [...keys, column.key] : keys.filter((key) => key !== column.key), tick);
  const box = h("input", { type: "checkbox", checked: at >= 0, disabled: column.key === "id", "data-key": tick, onchange: toggle });
  const up = () => set(keys.with(at - 1, keys[at]).with(at, keys[at - 1]), `up ${column.key}`);
  return h(
    "div.menu-line",
    {},
    h("label.choice", {}, box, h("span", {}, column.name)),
    at > 0 ? h("button.quiet.icon", { type: "button", "aria-label": `${column.name} further left`, title: "Further left", "data-key": `up ${column.key}`, onclick: up }, "↑") : null,
  );
}
