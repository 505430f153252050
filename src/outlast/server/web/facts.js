/** Lists of names and values, and times that tell the whole when pointed at. */

import { h } from "./dom.js";
import { fullTime, relative, time } from "./format.js";

/** A definition list; pairs whose value is null, undefined or "" are left out. */
export function facts(...pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl.facts", {}, shown.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** A point in time. */
export function when(timestamp) {
  return timestamp ? h("time.num", { datetime: timestamp, title: fullTime(timestamp) }, time(timestamp)) : "–";
}

/** A point in time, as its distance from now. */
export function ago(timestamp) {
  return timestamp ? h("time.num", { datetime: timestamp, title: fullTime(timestamp) }, relative(timestamp)) : "–";
}

/**
 * A table; on a narrow screen each row is a list of what it says.
 *
 * @param {string} caption for those who cannot see it
 * @param {string[]} heads
 * @param {any[][]} rows of cells
 */
export function simpleTable(caption, heads, rows) {
  return h(
    "div.scroll",
    { tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table.simple",
      {},
      h("caption.unseen", {}, caption),
      h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, i) => h("td", { "data-label": heads[i] }, cell))))),
    ),
  );
}
