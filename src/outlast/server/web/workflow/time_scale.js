/** From times to places on the timeline, in per cent; idle time may be drawn short. */

import { length } from "../format.js";

const TICKS = 4;
const IDLE_SHARE = 0.02;
const MARGIN = 0.01;
const POINTS = new Set(["signal", "task"]);

/**
 * @param {import("./groups.js").Group[]} groups
 * @param {number} from start of the run
 * @param {number} now end of what is shown
 * @param {boolean} tight idle time, in which only timers run, is drawn short
 */
export function scaleOf(groups, from, now, tight) {
  const end = Math.max(now, from + 1, ...lastOf(groups));
  const stretches = tight ? squeezed(groups, from, end) : [{ from, to: end, at: 0, share: 1 }];
  const place = (time) => {
    const each = stretches.findLast((stretch) => time >= stretch.from) ?? stretches[0];
    const inside = each.to === each.from ? 0 : Math.min(1, Math.max(0, (time - each.from) / (each.to - each.from)));
    return MARGIN + (1 - 2 * MARGIN) * (each.at + inside * each.share);
  };
  return {
    from,
    now: end,
    span: end - from,
    x: (time) => `${(place(time) * 100).toFixed(3)}%`,
    width: (a, b) => `${Math.max(0.25, (place(b) - place(a)) * 100).toFixed(3)}%`,
    marks: (group) => ({ point: POINTS.has(group.kind) }),
    timeAt: (share) => {
      const each = stretches.findLast((stretch) => share >= stretch.at) ?? stretches[0];
      return each.from + ((share - each.at) / each.share) * (each.to - each.from);
    },
  };
}

function lastOf(groups) {
  let last = 0;
  for (const group of groups) last = Math.max(last, group.to ?? group.from);
  return last ? [last] : [];
}

/** Stretches of time in which something is done keep their proportions, those between them are short. */
function squeezed(groups, from, end) {
  const busy = groups.filter((group) => group.kind !== "timer").map((group) => [group.from, Math.max(group.from, group.to ?? end)]).sort(([a], [b]) => a - b);
  const merged = [[from, from]];
  for (const [start, stop] of busy) {
    const last = merged.at(-1);
    if (start <= last[1]) last[1] = Math.max(last[1], stop);
    else merged.push([start, stop]);
  }
  merged.push([end, end]);
  const work = merged.reduce((sum, [start, stop]) => sum + stop - start, 0) || 1;
  const gaps = merged.slice(1).map(([start], i) => start - merged[i][1]);
  const idle = gaps.map((gap) => Math.min(gap / work, Math.max(IDLE_SHARE, 0.2 / gaps.length)));
  const total = 1 + idle.reduce((sum, each) => sum + each, 0);
  const stretches = [];
  let at = 0;
  merged.forEach(([start, stop], i) => {
    const share = (stop - start) / work / total;
    stretches.push({ from: start, to: stop, at, share });
    at += share;
    if (i < gaps.length) {
      stretches.push({ from: stop, to: merged[i + 1][0], at, share: idle[i] / total });
      at += idle[i] / total;
    }
  });
  return stretches.filter((stretch) => stretch.to > stretch.from);
}

/** Ticks in equal distances, with the time since the start. @returns {{x: string, text: string}[]} */
export function ticksOf(scale) {
  return Array.from({ length: TICKS + 1 }, (_, i) => {
    const time = scale.timeAt(i / TICKS);
    return { x: scale.x(time), text: length(Math.max(0, time - scale.from) / 1000) };
  });
}
