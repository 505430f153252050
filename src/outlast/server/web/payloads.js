/**
 * Payloads in JSON: protobuf's form, {metadata, data}, or the shorthand, in which a payload is the value itself and
 * Payloads are an array.
 */

/**
 * @typedef {object} Value
 * @property {string} text to show
 * @property {any} json the value, when `isJson`
 * @property {boolean} isJson
 * @property {string} note what the text does not say: the encoding, when it is not JSON
 */

const NULLS = new Set(["binary/null"]);

function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function decodeText(base64) {
  return new TextDecoder().decode(fromBase64(base64 ?? ""));
}

function isPayload(given) {
  return given !== null && typeof given === "object" && typeof given.metadata?.encoding === "string";
}

/** A payload's value. @returns {Value} */
export function readPayload(given) {
  if (!isPayload(given)) return ofJson(given);
  const encoding = decodeText(given.metadata.encoding);
  if (NULLS.has(encoding)) return ofJson(null);
  if (encoding.startsWith("json/")) {
    const text = decodeText(given.data);
    try {
      return ofJson(JSON.parse(text));
    } catch {
      return { text, json: null, isJson: false, note: `${encoding}, but not JSON` };
    }
  }
  const bytes = fromBase64(given.data ?? "");
  return { text: readable(bytes), json: null, isJson: false, note: `${encoding}, ${bytes.length} bytes` };
}

function ofJson(json) {
  return { text: JSON.stringify(json, null, 2), json, isJson: true, note: "" };
}

function readable(bytes) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (!/[\u0000-\u0008\u000e-\u001f]/.test(text)) return text;
  } catch {
    // Not text: shown as base64.
  }
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** The values of Payloads; [] for none. @returns {Value[]} */
export function readPayloads(given) {
  if (given === null || given === undefined) return [];
  const each = Array.isArray(given) ? given : given.payloads ?? [];
  return each.map(readPayload);
}

/** The value of a search attribute or memo field. */
export function plain(given) {
  return readPayload(given).json;
}

/** The fields of a map of payloads, of `Memo` or `SearchAttributes`: [name, value] sorted by name. */
export function readFields(map) {
  return Object.entries(map ?? {}).map(([name, payload]) => [name, readPayload(payload)]).sort(([a], [b]) => a.localeCompare(b));
}
