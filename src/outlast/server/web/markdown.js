/**
 * A part of Markdown, as elements: paragraphs, headings, lists, quotations, code, bold, italics, links.
 *
 * Rule of the place: HTML is text like any other, and only http and https are followed.
 */

import { h } from "./dom.js";

const BLOCK = /^(?:#{1,6} |[-*+] |\d+[.)] |> ?|```)/;
const INLINE = /`([^`]+)`|\*\*(.+?)\*\*|__(.+?)__|\*([^*\s][^*]*)\*|\b_([^_]+)_\b|\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)|(https?:\/\/[^\s<>)\]]+)/;

/** @param {string} text @returns {HTMLElement} */
export function markdown(text) {
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  const blocks = [];
  let at = 0;
  /** The lines from here on that fit, without what makes them fit. */
  function take(pattern) {
    const taken = [];
    for (; at < lines.length && pattern.test(lines[at]); at += 1) taken.push(lines[at].replace(pattern, ""));
    return taken;
  }
  while (at < lines.length) {
    const line = lines[at];
    if (!line.trim()) at += 1;
    else if (line.startsWith("```")) blocks.push(code());
    else if (/^#{1,6} /.test(line)) blocks.push(h("p.md-heading", {}, inline(lines[at++].replace(/^#+ /, ""))));
    else if (/^[-*+] /.test(line)) blocks.push(h("ul", {}, take(/^[-*+] /).map((item) => h("li", {}, inline(item)))));
    else if (/^\d+[.)] /.test(line)) blocks.push(h("ol", {}, take(/^\d+[.)] /).map((item) => h("li", {}, inline(item)))));
    else if (line.startsWith(">")) blocks.push(h("blockquote", {}, inline(take(/^> ?/).join(" "))));
    else blocks.push(h("p", {}, inline(paragraph())));
  }
  function code() {
    at += 1;
    const from = at;
    while (at < lines.length && !lines[at].startsWith("```")) at += 1;
    return h("pre.value", { tabindex: 0 }, lines.slice(from, at++).join("\n"));
  }
  function paragraph() {
    const from = at;
    do at += 1;
    while (at < lines.length && lines[at].trim() && !BLOCK.test(lines[at]));
    return lines.slice(from, at).join("\n");
  }
  return h("div.md", {}, blocks);
}

/** A line of Markdown, for places that have one line. @returns {(Node|string)[]} */
export function inline(text) {
  const found = text.match(INLINE);
  if (!found) return text ? [text] : [];
  const [whole, literal, bold, strong, italic, emphasis, label, target, address] = found;
  const before = text.slice(0, found.index);
  const after = inline(text.slice(found.index + whole.length));
  return [before, element({ literal, bold: bold ?? strong, italic: italic ?? emphasis, label, target: target ?? address }), ...after];
}

function element({ literal, bold, italic, label, target }) {
  if (literal !== undefined) return h("code", {}, literal);
  if (bold !== undefined) return h("strong", {}, inline(bold));
  if (italic !== undefined) return h("em", {}, inline(italic));
  return h("a", { href: target, target: "_blank", rel: "noopener noreferrer" }, label ?? target);
}
