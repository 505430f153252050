/** Events as lines of JSON: what is long is cut, the download has it. */

const CUT = 300;

/** @param {object[]} events @returns {string[]} */
export function jsonLines(events) {
  const lines = ["["];
  for (const event of events) {
    const own = JSON.stringify(event, shortened, 2).split("\n");
    own[own.length - 1] += ",";
    for (const line of own) lines.push(`  ${line}`);
  }
  if (events.length) lines[lines.length - 1] = lines.at(-1).slice(0, -1);
  lines.push("]");
  return lines;
}

function shortened(key, value) {
  return typeof value === "string" && value.length > CUT ? `${value.slice(0, CUT)}… (${value.length} characters)` : value;
}
