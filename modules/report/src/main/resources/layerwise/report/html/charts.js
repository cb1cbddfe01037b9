// Charts: plain SVG, drawn from the same numbers as the table.

function svg(name, attributes, parentNode, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parentNode?.append(node);
  return node;
}

function canvas(id, height) {
  const box = document.getElementById(id);
  const width = Math.max(320, box.clientWidth);
  const chart = svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img" });
  box.replaceChildren(chart);
  return { chart, width, height };
}

function message(id, text) {
  const line = document.createElement("p");
  line.textContent = text;
  document.getElementById(id).replaceChildren(line);
}

function colour(name) {
  let hash = 7;
  for (const c of name) hash = (hash * 31 + c.codePointAt(0)) >>> 0;
  return `hsl(${Math.round((hash % 997) * 137.5) % 360} 50% ${48 + ((hash >>> 9) % 3) * 7}%)`;
}

function outermost(i) {
  let at = i;
  while (parent[at] >= 0) at = parent[at];
  return lines[at].name;
}

function axis(chart, x1, y1, x2, y2) {
  svg("line", { class: "axis", x1, y1, x2, y2 }, chart);
}

/** Round steps: 1, 2 or 5 times a power of ten, about this many. */
function ticks(max, count) {
  if (!(max > 0)) return [0];
  const rough = max / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  return Array.from({ length: Math.floor(max / step) + 1 }, (unused, k) => k * step);
}

function drawBars() {
  const { chart, width, height } = canvas("bars", 190);
  const values = problems.map((unused, p) => valueOf(state.line, p));
  const folded = state.fold && blocks[state.line] !== undefined && !isModule(state.line);
  const most = problems.map((unused, p) => (folded ? Math.max(0, ...repetitions(state.line, p, state.metric)) : 0));
  const max = Math.max(1e-9, ...values.map((v) => v ?? 0), ...most);
  const [left, top, bottom] = [46, 24, 46];
  const y = (value) => height - bottom - (Math.max(0, value) / max) * (height - top - bottom);
  const step = (width - left - 6) / problems.length;
  svg("text", { x: left, y: 12 }, chart, `${pathOf(state.line)} (${metrics[state.metric].unit})`);
  for (const tick of ticks(max, 4)) {
    svg("line", { class: "grid", x1: left, x2: width - 6, y1: y(tick), y2: y(tick) }, chart);
    svg("text", { x: left - 4, y: y(tick) + 4, "text-anchor": "end" }, chart, String(Number(tick.toPrecision(3))));
  }
  const total = lines[state.line].kind === "TOTAL" ? " total" : "";
  values.forEach((value, p) => {
    const x = left + p * step;
    const picked = p === state.problem ? " pick" : "";
    const bar = svg("rect", { class: `bar${total}${picked}`, x: x + step * 0.1, width: step * 0.8, y: y(value ?? 0), height: Math.max(0.5, height - bottom - y(value ?? 0)) }, chart);
    svg("title", {}, bar, `${problems[p].title}: ${format(value)} ${metrics[state.metric].unit}`);
    bar.addEventListener("click", () => select(state.line, p));
    if (folded) {
      const all = repetitions(state.line, p, state.metric);
      if (all.length > 0) svg("line", { class: "whisker", x1: x + step / 2, x2: x + step / 2, y1: y(Math.min(...all)), y2: y(Math.max(...all)) }, chart);
    }
    if (step > 9) svg("text", { transform: `translate(${x + step / 2 + 3} ${height - bottom + 10}) rotate(25)` }, chart, problems[p].title.slice(0, 18));
  });
  axis(chart, left, height - bottom, width - 6, height - bottom);
}

const chartRects = { icicle: new Map(), timeline: new Map() };

function drawIcicle() {
  const rects = chartRects.icicle;
  rects.clear();
  const shown = lines.keys().filter((i) => lines[i].kind === "OPERATION" || isModule(i)).filter((i) => !(state.fold && isRepetition(i))).toArray();
  const leaves = shown.filter((i) => !isModule(i));
  const value = (i) => Math.max(0, valueOf(i, state.problem, "mean") ?? 0);
  const sum = leaves.reduce((total, i) => total + value(i), 0);
  const depth = 1 + Math.max(0, ...shown.map((i) => lines[i].depth));
  const { chart, width } = canvas("icicle", depth * 20 + 34);
  const scale = (width - 8) / Math.max(1e-9, sum);
  let x = 4;
  const place = new Map();
  for (const i of shown) if (!isModule(i)) { place.set(i, x); x += value(i) * scale; }
  for (const i of shown) {
    if (isCollapsed(i)) continue;
    const inside = isModule(i) ? leaves.filter((j) => j > i && j <= lastInside[i]) : [i];
    if (inside.length === 0) continue;
    const from = place.get(inside[0]);
    const last = inside[inside.length - 1];
    const w = place.get(last) + value(last) * scale - from;
    if (w < 0.4) continue;
    const y = 4 + lines[i].depth * 20;
    const rect = svg("rect", { class: "node", x: from, y, width: w, height: 19, fill: colour(isModule(i) ? lines[i].name : outermost(i)) }, chart);
    svg("title", {}, rect, `${pathOf(i)}: ${format(w / scale, "mean")} us`);
    rect.addEventListener("click", () => reveal(i));
    rects.set(i, rect);
    if (w > 28) svg("text", { x: from + 3, y: y + 13, "pointer-events": "none" }, chart, lines[i].name.slice(0, Math.floor((w - 6) / 6.2)));
  }
  svg("text", { x: width / 2, y: depth * 20 + 24, "text-anchor": "middle" }, chart, `sum of kernel times, ${format(sum, "mean")} us`);
  markSelected();
}

function drawTimeline() {
  const { spans, run, title } = problems[state.problem];
  const rects = chartRects.timeline;
  rects.clear();
  if (spans.length === 0) return message("timeline", "The runs of this problem differ, so no single one is shown.");
  const lanes = [...new Set(spans.map((span) => span[3]))].sort();
  const end = Math.max(...spans.map((span) => span[1] + span[2]));
  const left = 62;
  const { chart, width, height } = canvas("timeline", lanes.length * 24 + 62);
  const x = (time) => left + (time / Math.max(1e-9, end)) * (width - left - 8);
  svg("text", { x: 2, y: 12 }, chart, `run ${run} of ${title}`);
  lanes.forEach((lane, k) => svg("text", { x: 2, y: 36 + k * 24 }, chart, `stream ${lane}`));
  for (const [row, start, duration, lane] of spans) {
    const line = lineOfRow[row];
    const rect = svg("rect", { class: "node", x: x(start), y: 22 + lanes.indexOf(lane) * 24, width: Math.max(0.5, x(start + duration) - x(start)), height: 20, fill: colour(outermost(line)) }, chart);
    svg("title", {}, rect, `${pathOf(line)}\nstart ${format(start, "mean")} us, ${format(duration, "mean")} us, stream ${lane}`);
    rect.addEventListener("click", () => reveal(line));
    rects.set(line, rect);
  }
  const y = 22 + lanes.length * 24;
  svg("text", { x: 2, y: y + 9 }, chart, "overlap");
  for (const [from, to] of overlaps(spans)) svg("rect", { class: "both", x: x(from), y, width: Math.max(0.5, x(to) - x(from)), height: 8 }, chart);
  axis(chart, left, y + 10, width - 8, y + 10);
  for (const tick of ticks(end, 6)) svg("text", { x: x(tick), y: y + 22, "text-anchor": "middle" }, chart, String(Number(tick.toPrecision(4))));
  svg("text", { x: width / 2, y: height - 4, "text-anchor": "middle" }, chart, "time since the run's first kernel (us)");
  markSelected();
}

/** Intervals during which two or more activities ran. */
function overlaps(spans) {
  const events = spans.flatMap((span) => [[span[1], 1], [span[1] + span[2], -1]]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const found = [];
  let running = 0;
  let from = 0;
  for (const [time, change] of events) {
    if (running < 2 && running + change >= 2) from = time;
    if (running >= 2 && running + change < 2 && time > from) found.push([from, time]);
    running += change;
  }
  return found;
}

function drawRoofline() {
  const p = state.problem;
  const points = lines.keys().filter((i) => !isModule(i) && lines[i].compute?.[p] > 0 && lines[i].intensity?.[p] > 0).toArray();
  if (points.length === 0) return message("roofline", "This trace has no cost records: run the benchmark with this project's recorder to get them.");
  const peak = (i) => (lines[i].limit[p] > 0 ? lines[i].compute[p] / (lines[i].limit[p] / 100) : null);
  const roofs = points.map((i) => [lines[i].intensity[p], peak(i)]).filter((point) => point[1] !== null).sort((a, b) => a[0] - b[0]);
  const all = points.map((i) => [lines[i].intensity[p], lines[i].compute[p]]).concat(roofs);
  const low = (k) => 10 ** Math.floor(Math.log10(Math.min(...all.map((point) => point[k]))));
  const high = (k) => 10 ** Math.ceil(Math.log10(Math.max(...all.map((point) => point[k]))) + 1e-9);
  const { chart, width, height } = canvas("roofline", 260);
  const [left, bottom] = [52, 40];
  const scale = (value, from, to, a, b) => a + ((Math.log10(value) - Math.log10(from)) / Math.max(1e-9, Math.log10(to) - Math.log10(from))) * (b - a);
  const [x0, x1, y0, y1] = [low(0), high(0), low(1), high(1)];
  const x = (value) => scale(value, x0, x1, left, width - 10);
  const y = (value) => scale(value, y0, y1, height - bottom, 8);
  for (let v = x0; v <= x1 * 1.001; v *= 10) { svg("line", { class: "grid", x1: x(v), x2: x(v), y1: 8, y2: height - bottom }, chart); svg("text", { x: x(v), y: height - bottom + 13, "text-anchor": "middle" }, chart, String(Number(v.toPrecision(1)))); }
  for (let v = y0; v <= y1 * 1.001; v *= 10) { svg("line", { class: "grid", x1: left, x2: width - 10, y1: y(v), y2: y(v) }, chart); svg("text", { x: left - 4, y: y(v) + 4, "text-anchor": "end" }, chart, String(Number(v.toPrecision(1)))); }
  if (roofs.length > 0) svg("polyline", { class: "roof", points: roofs.map((point) => `${x(point[0])},${y(point[1])}`).join(" ") }, chart);
  for (const i of points) {
    const dot = svg("circle", { class: "node", cx: x(lines[i].intensity[p]), cy: y(lines[i].compute[p]), r: 4, fill: colour(outermost(i)) }, chart);
    svg("title", {}, dot, describe(i, p));
    dot.addEventListener("click", () => reveal(i));
  }
  svg("text", { x: width / 2, y: height - 6, "text-anchor": "middle" }, chart, "operational intensity (FLOP/byte); red: limit by nominal rates");
  svg("text", { transform: `translate(11 ${height / 2}) rotate(-90)`, "text-anchor": "middle" }, chart, "compute (TFLOP/s)");
}

function markSelected() {
  for (const rects of Object.values(chartRects)) {
    for (const rect of rects.values()) rect.classList.remove("pick");
    rects.get(state.line)?.classList.add("pick");
  }
}
