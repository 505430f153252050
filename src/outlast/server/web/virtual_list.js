/**
 * A list of many rows, of which only those in view exist.
 *
 * Rows have one height, except those that were opened: they are measured. Rows are laid out from the top, so that the
 * scroll bar is true, up to MAX_PX, beyond which browsers do not go.
 */

import { h } from "./dom.js";

const AROUND = 8;
const MAX_PX = 15_000_000;

export class VirtualList {
  /**
   * @param {{label: string, rowHeight: number, render: (index: number, open: boolean) => HTMLElement, tag?: string}} options
   *   `render` makes a row; an open one may be as high as it likes
   */
  constructor({ label, rowHeight, render, tag = "div.virtual" }) {
    this.rowHeight = rowHeight;
    this.render = render;
    this.count = 0;
    /** @type {Map<number, number>} heights of open rows */
    this.open = new Map();
    /** @type {Map<number, HTMLElement>} rows that exist */
    this.rows = new Map();
    this.space = h("div.virtual-space", { role: "list" });
    this.node = h(tag, { tabindex: 0, role: "group", "aria-label": label }, this.space);
    this.node.addEventListener("scroll", () => this.layOut(), { passive: true });
    this.sizes = new ResizeObserver((entries) => this.measure(entries));
    this.sizes.observe(this.node);
  }

  /** Show this many rows; what exists of them is made anew. */
  show(count) {
    this.count = Math.min(count, Math.floor(MAX_PX / this.rowHeight));
    for (const index of this.open.keys()) if (index >= this.count) this.open.delete(index);
    this.again();
  }

  /** Have more rows below; those that exist stay as they are, but for the last. */
  more(count) {
    this.drop(this.count - 1);
    this.count = Math.min(count, Math.floor(MAX_PX / this.rowHeight));
    this.layOut();
  }

  /** Make the rows in view anew, with the keyboard's focus where it was. */
  again() {
    const focused = [...this.rows].find(([, row]) => row.contains(document.activeElement))?.[0];
    for (const index of [...this.rows.keys()]) this.drop(index);
    this.layOut();
    if (focused !== undefined) this.rows.get(focused)?.querySelector("button, a, [tabindex]")?.focus({ preventScroll: true });
  }

  /** Close what is open and go to the top. */
  reset() {
    this.open.clear();
    this.node.scrollTop = 0;
  }

  /** Open a row, or close it. */
  toggle(index) {
    if (this.open.has(index)) this.open.delete(index);
    else this.open.set(index, this.rowHeight);
    const focused = this.rows.get(index)?.contains(document.activeElement);
    this.drop(index);
    this.layOut();
    if (focused) this.rows.get(index)?.querySelector("button")?.focus({ preventScroll: true });
  }

  /** Bring a row into view. */
  reveal(index) {
    this.node.scrollTop = this.top(index);
  }

  top(index) {
    let offset = index * this.rowHeight;
    for (const [each, height] of this.open) if (each < index) offset += height - this.rowHeight;
    return offset;
  }

  at(offset) {
    let [low, high] = [0, Math.max(0, this.count - 1)];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.top(middle) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  layOut() {
    const from = Math.max(0, this.at(this.node.scrollTop) - AROUND);
    const to = Math.min(this.count, this.at(this.node.scrollTop + this.node.clientHeight) + AROUND + 1);
    this.space.style.height = `${this.top(this.count)}px`;
    for (const index of [...this.rows.keys()]) if (index < from || index >= to) this.drop(index);
    for (let index = from; index < to; index += 1) this.put(index);
  }

  put(index) {
    let row = this.rows.get(index);
    if (!row) {
      row = this.render(index, this.open.has(index));
      row.setAttribute("role", "listitem");
      row.setAttribute("aria-posinset", index + 1);
      row.setAttribute("aria-setsize", this.count);
      row.dataset.index = index;
      this.rows.set(index, row);
      this.space.append(row);
      if (this.open.has(index)) this.sizes.observe(row);
      else row.style.height = `${this.rowHeight}px`;
    }
    row.style.top = `${this.top(index)}px`;
  }

  drop(index) {
    const row = this.rows.get(index);
    if (!row) return;
    this.sizes.unobserve(row);
    row.remove();
    this.rows.delete(index);
  }

  measure(entries) {
    for (const { target } of entries) {
      const index = Number(target.dataset.index);
      if (this.open.has(index) && this.rows.get(index) === target) this.open.set(index, target.offsetHeight);
    }
    this.layOut();
  }
}
