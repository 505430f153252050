/** Forms in a dialog. The browser keeps the focus inside and closes it on Escape. */

import { h, replace } from "./dom.js";

let ids = 0;

/**
 * A labelled field.
 *
 * @param {string} label
 * @param {HTMLElement} control
 * @param {string} [hint]
 */
export function field(label, control, hint) {
  control.id ||= `field-${(ids += 1)}`;
  const note = hint ? h("span.hint", { id: `${control.id}-hint` }, hint) : null;
  if (note) control.setAttribute("aria-describedby", note.id);
  return h("div.field", {}, h("label", { for: control.id }, label), control, note);
}

/** A labelled checkbox. */
export function choice(label, control) {
  return h("label.choice", {}, control, h("span", {}, label));
}

/**
 * Open a form.
 *
 * @param {{title: string, text?: string, fields?: Node[], action: string, danger?: boolean,
 *   submit: () => Promise<Node|void>}} form `submit` throws what is to be shown; a node that it answers is shown in the
 *   open dialog, nothing closes it
 * @returns {HTMLDialogElement}
 */
export function openForm({ title, text, fields = [], action, danger = false, submit }) {
  const outcome = h("div.outcome", { "aria-live": "polite" });
  const button = h(`button.${danger ? "danger" : "primary"}`, { type: "submit" }, action);
  const heading = h("h2", { id: `dialog-${(ids += 1)}` }, title);
  const form = h(
    "form",
    { onsubmit: run },
    heading,
    text ? h("p.dialog-text", {}, text) : null,
    fields,
    outcome,
    h("div.dialog-actions", {}, h("button", { type: "button", onclick: () => dialog.close() }, "Close"), button),
  );
  const dialog = h("dialog", { "aria-labelledby": heading.id, onclose: () => dialog.remove() }, form);
  async function run(event) {
    event.preventDefault();
    button.disabled = true;
    replace(outcome);
    try {
      const result = await submit();
      if (result) replace(outcome, result);
      else dialog.close();
    } catch (error) {
      replace(outcome, h("p.field-problem", { role: "alert" }, error.message));
    } finally {
      button.disabled = false;
    }
  }
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * What was typed as the arguments of a call: JSON values, one a line or one over several lines.
 *
 * @returns {any[]} empty for nothing
 * @throws {Error} it is no JSON
 */
export function readArguments(text) {
  const trimmed = text.trim();
  if (!trimmed) return [];
  try {
    return [JSON.parse(trimmed)];
  } catch (whole) {
    const lines = trimmed.split("\n").filter((line) => line.trim());
    if (lines.length < 2) throw new Error(`The input is not JSON: ${whole.message}. Text goes in quotes: "like this".`);
    return lines.map((line, i) => readLine(line, i + 1));
  }
}

function readLine(line, at) {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new Error(`Line ${at} of the input is not JSON: ${error.message}. Text goes in quotes: "like this".`);
  }
}

/**
 * What was typed as a JSON object.
 *
 * @param {string} name of the field, for the error
 * @returns {Object<string, any>} empty for nothing
 */
export function readObject(name, text) {
  if (!text.trim()) return {};
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${name}: not JSON: ${error.message}.`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Error(`${name}: write a JSON object, {"name": "value"}.`);
  return value;
}

/** Fields that are seldom needed, folded away. */
export function more(title, fields) {
  return h("details.more-fields", {}, h("summary", {}, title), h("div.form", {}, fields));
}

/** A text area for arguments. */
export function argumentsInput() {
  return h("textarea.code", { rows: 4, spellcheck: "false", placeholder: '{"order": 7}' });
}

export const ARGUMENTS_HINT = "JSON. Several arguments: one on each line. None: leave it empty.";
