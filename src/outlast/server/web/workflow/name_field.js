/** A field for the name of a signal, query or update, with those that the code has for a choice. */

import { field } from "../dialog.js";
import { h, replace } from "../dom.js";

/** @returns {{node: HTMLElement, input: HTMLInputElement, suggest: (list: import("./metadata.js").Definition[], problem?: string) => void}} */
export function nameField(label, placeholder) {
  const input = h("input", { type: "text", required: true, autocomplete: "off", spellcheck: "false", placeholder });
  const known = h("div.names", { role: "group", "aria-label": `Known names: ${label}` }, h("span.hint", {}, "Asking the workflow's code for names …"));
  const note = h("span.hint");
  function suggest(list, problem) {
    const choose = (each) => {
      input.value = each.name;
      note.textContent = each.description;
    };
    if (!list.length) replace(known, h("span.hint", {}, problem ?? "Its code names none; type the name."));
    else {
      replace(known, list.map((each) => h("button.name", { type: "button", title: each.description || null, onclick: () => choose(each) }, each.name)));
      if (!input.value) choose(list[0]);
    }
  }
  return { node: h("div.field-group", {}, field(label, input), note, known), input, suggest };
}
