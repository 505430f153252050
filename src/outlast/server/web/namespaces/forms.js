/** The forms about namespaces: one is registered, changed, deleted; search attributes come and go. */

import { call } from "../api.js";
import { field, openForm } from "../dialog.js";
import { h } from "../dom.js";
import { seconds } from "../format.js";
import { notice } from "../notices.js";
import { go, href } from "../router.js";

const DAY_S = 86_400;

/** The types that a search attribute may have, and what they are for. */
export const TYPES = {
  INDEXED_VALUE_TYPE_KEYWORD: "Keyword: an id, a name, a status",
  INDEXED_VALUE_TYPE_TEXT: "Text: searched by its words",
  INDEXED_VALUE_TYPE_INT: "Int: a whole number",
  INDEXED_VALUE_TYPE_DOUBLE: "Double: a number",
  INDEXED_VALUE_TYPE_BOOL: "Bool: true or false",
  INDEXED_VALUE_TYPE_DATETIME: "Datetime: a point in time",
  INDEXED_VALUE_TYPE_KEYWORD_LIST: "KeywordList: several keywords",
};

function text(value = "", options = {}) {
  return h("input", { type: "text", autocomplete: "off", value, ...options });
}

function retention(value) {
  return h("input", { type: "number", min: 1, step: 1, value, required: true });
}

/** Register one, and go to its page. */
export function openRegister() {
  const [name, description, owner] = [text("", { required: true }), text(), h("input", { type: "email", autocomplete: "off" })];
  const days = retention(3);
  openForm({
    title: "Register a namespace",
    text: "A namespace keeps workflows apart: ids, task queues and lists are its own.",
    fields: [field("Name", name), field("Description", description), field("Owner", owner, "An e-mail address."), field("Retention in days", days, "So long closed workflows are kept.")],
    action: "Register",
    submit: async () => {
      const body = { namespace: name.value, description: description.value, ownerEmail: owner.value, workflowExecutionRetentionPeriod: `${Number(days.value) * DAY_S}s` };
      await call("RegisterNamespace", {}, { body });
      notice(`Namespace ${name.value} is registered.`);
      go(href(["namespaces", name.value]));
    },
  });
}

/** Change what may be changed. */
export function openUpdate({ namespaceInfo, config }, done) {
  const namespace = namespaceInfo.name;
  const description = text(namespaceInfo.description);
  const owner = h("input", { type: "email", autocomplete: "off", value: namespaceInfo.ownerEmail ?? "" });
  const days = retention(Math.max(1, Math.round(seconds(config?.workflowExecutionRetentionTtl) / DAY_S)));
  openForm({
    title: `Change ${namespace}`,
    fields: [field("Description", description), field("Owner", owner, "An e-mail address."), field("Retention in days", days, "So long closed workflows are kept. A change counts for those that close from now on.")],
    action: "Save",
    submit: async () => {
      const body = {
        updateInfo: { description: description.value, ownerEmail: owner.value },
        config: { workflowExecutionRetentionTtl: `${Number(days.value) * DAY_S}s` },
      };
      await call("UpdateNamespace", { namespace }, { body });
      notice(`Namespace ${namespace} is changed.`);
      done();
    },
  });
}

/** Delete one, with all that is in it; its name has to be typed. */
export function openDelete(namespace) {
  const again = text("", { required: true, spellcheck: "false" });
  openForm({
    title: `Delete ${namespace}?`,
    text: "Every workflow of it is deleted, running ones too, with their histories. This cannot be undone.",
    fields: [field("Type its name to go on", again)],
    action: "Delete",
    danger: true,
    submit: async () => {
      if (again.value !== namespace) throw new Error(`The name is ${namespace}; what you typed is another.`);
      await call("DeleteNamespace", {}, { body: { namespace } });
      notice(`Namespace ${namespace} is deleted.`);
      go(href(["namespaces"]));
    },
  });
}

/** Add a search attribute. */
export function openAddAttribute(namespace, done) {
  const name = text("", { required: true, spellcheck: "false", placeholder: "CustomerId" });
  const type = h("select", {}, Object.entries(TYPES).map(([value, label]) => h("option", { value }, label)));
  openForm({
    title: "Add a search attribute",
    text: "Workflows may set it, and lists may be filtered and sorted by it.",
    fields: [field("Name", name), field("Type", type, "It cannot be changed later.")],
    action: "Add",
    submit: async () => {
      await call("AddSearchAttributes", {}, { body: { namespace, searchAttributes: { [name.value]: type.value } } });
      notice(`Search attribute ${name.value} is added.`);
      done();
    },
  });
}

/** Remove a search attribute. */
export function openRemoveAttribute(namespace, name, done) {
  openForm({
    title: `Remove ${name}?`,
    text: "Lists cannot be filtered by it any more. Workflows that have a value keep it.",
    action: "Remove",
    danger: true,
    submit: async () => {
      await call("RemoveSearchAttributes", {}, { body: { namespace, searchAttributes: [name] } });
      notice(`Search attribute ${name} is removed.`);
      done();
    },
  });
}
