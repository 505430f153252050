/** How payloads are shown: as JSON, cut when they are large, with a way to have all. */

import { download, h } from "./dom.js";
import { icon } from "./icons.js";
import { size } from "./format.js";
import { notice } from "./notices.js";
import { readPayloads } from "./payloads.js";

const SHOWN = 4000;
/** What is longer than that would freeze the page. */
const WHOLE_MAX = 1_000_000;

/** A text with buttons: copied, and where it is long cut, shown whole, downloaded. */
export function longText(text, { name = "value", tag = "pre.value", type = "text/plain" } = {}) {
  const block = h(tag, { tabindex: 0 }, text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
  const whole = h("div.value-place", {}, block, text ? copyButton(text, name) : null);
  if (text.length <= SHOWN) return whole;
  const note = h("p.value-note", {}, h("span", {}, `The first ${size(SHOWN)} of ${size(text.length)}.`));
  const save = () => download(`${name}.${type === "application/json" ? "json" : "txt"}`, text, type);
  const expand = () => {
    block.textContent = text;
    note.firstChild.textContent = `All ${size(text.length)}.`;
    more.remove();
    block.focus();
  };
  const more = h("button.quiet", { type: "button", onclick: expand }, "Show all");
  note.append(...[text.length <= WHOLE_MAX ? more : null, h("button.quiet", { type: "button", onclick: save }, "Download")].filter(Boolean));
  return h("div", {}, whole, note);
}

/** One value. @param {import("./payloads.js").Value} value */
export function valueNode(value, name = "value") {
  const node = longText(value.text, { name, type: value.isJson ? "application/json" : "text/plain" });
  return value.note ? h("div", {}, node, h("p.value-note", {}, value.note)) : node;
}

/** The values of Payloads. */
export function payloadsNode(payloads, name, none = "None") {
  const values = readPayloads(payloads);
  if (!values.length) return h("p.nothing", {}, none);
  return h("div.values", {}, values.map((value, i) => valueNode(value, values.length > 1 ? `${name}-${i + 1}` : name)));
}

/** A button that copies. */
export function copyButton(text, what) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      notice(`Copied: ${what}.`);
    } catch {
      notice("This browser does not let the page copy; select the text instead.");
    }
  };
  return h("button.quiet.icon.copy", { type: "button", "aria-label": `Copy ${what}`, title: `Copy ${what}`, onclick: copy }, icon("copy"));
}
