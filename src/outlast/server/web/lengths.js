/** Lengths of time as people type them. */

const PART = /\d+(?:\.\d+)?\s*[smhd]?/g;
const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * "5 m", "1h30m", "90": in protobuf's JSON.
 *
 * @param {string} name of the field, for the error
 * @returns {string} "300s"
 * @throws {Error} it is none
 */
export function readLength(name, text) {
  const parts = text.match(PART) ?? [];
  if (!parts.length || text.replace(PART, "").trim()) throw new Error(`${name}: “${text}” is no length of time; write 30 s, 5 m, 2 h or 1 d.`);
  return `${parts.reduce((sum, part) => sum + Number.parseFloat(part) * (UNITS[part.at(-1)] ?? 1), 0)}s`;
}
