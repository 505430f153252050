/**
 * Elements. The rule of the place: what users wrote becomes text nodes and attributes, never markup.
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element.
 *
 * @param {string} tag with classes: "button.quiet", "div.card.wide"
 * @param {Object<string, any>} [attributes] `on…` adds a listener; true sets an empty attribute; null, undefined and
 *   false set none; `value`, `checked`, `disabled`, `selected` and `indeterminate` are set as properties
 * @param {...(Node|string|number|null|undefined|false|Array)} children strings become text
 */
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  return fill(document.createElement(name), classes, attributes, children);
}

/** An SVG element, as `h`. */
export function s(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  return fill(document.createElementNS(SVG, name), classes, attributes, children);
}

const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "indeterminate"]);

function fill(element, classes, attributes, children) {
  if (classes.length) element.setAttribute("class", classes.join(" "));
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (PROPERTIES.has(name)) element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...flat(children));
  return element;
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}

/** Put new children in the place of all there are. */
export function replace(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

/** A link within the UI. */
export function link(href, text, attributes = {}) {
  return h("a", { href, ...attributes }, text);
}

/** Hand a file to the user. */
export function download(name, text, type = "application/json") {
  const url = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
