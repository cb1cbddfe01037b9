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

// One hue for each module name at the first level that has several: a kernel and all around it share it.
const hues = [212, 28, 152, 338, 268, 48, 186, 0, 96, 300, 236, 14];
const groupDepth = (() => {
  for (let depth = 0; ; depth++) {
    const names = new Set(lines.keys().filter((i) => isModule(i) && lines[i].depth === depth).map((i) => lines[i].name));
    if (names.size > 1) return depth;
    if (names.size === 0) return 0;
  }
})();
const hueOf = new Map();
for (const i of lines.keys()) {
  const group = groupOf(i);
  if (group >= 0 && !hueOf.has(lines[group].name)) hueOf.set(lines[group].name, hues[hueOf.size % hues.length]);
}

/** The module whose colour a line has; -1 outside them. */
function groupOf(i) {
  let at = isModule(i) ? i : parent[i];
  while (at >= 0 && lines[at].depth > groupDepth) at = parent[at];
  return at >= 0 && lines[at].depth === groupDepth ? at : -1;
}

function colour(i) {
  const group = groupOf(i);
  if (group < 0) return "hsl(220 6% 52%)";
  const deeper = Math.min(4, lines[i].depth - groupDepth);
  return `hsl(${hueOf.get(lines[group].name)} 48% ${38 + 5 * deeper}%)`;
}

/** What tells a problem from the others: the words of its title that not all titles have. */
const labels = (() => {
  const words = problems.map((problem) => problem.title.split(" "));
  return words.map((own) => own.filter((word) => !words.every((other) => other.includes(word))).join(" ")).map((label, p) => label || problems[p].title);
})();

/** A name that fits into a shape, if at least a few letters do. */
function inside(chart, x, y, width, name) {
  const letters = Math.floor((width - 6) / 6.4);
  if (letters < 3) return;
  const label = name.length <= letters ? name : `${name.slice(0, letters - 1)}\u2026`;
  svg("text", { class: "inside", x: x + 3, y, "pointer-events": "none" }, chart, label);
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
  const widest = Math.max(...labels.map((label) => label.length)) * 6.4;
  const flat = widest < (document.getElementById("bars").clientWidth - 52) / problems.length - 6;
  const { chart, width, height } = canvas("bars", flat ? 170 : 216);
  const values = problems.map((unused, p) => valueOf(state.line, p));
  const folded = state.fold && blocks[state.line] !== undefined && !isModule(state.line);
  const most = problems.map((unused, p) => (folded ? Math.max(0, ...repetitions(state.line, p, state.metric)) : 0));
  const max = Math.max(1e-9, ...values.map((v) => v ?? 0), ...most);
  const [left, top, bottom] = [46, 34, flat ? 22 : 68];
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
    const middle = x + step / 2;
    if (flat) svg("text", { class: "label", x: middle, y: height - bottom + 14, "text-anchor": "middle" }, chart, labels[p]);
    else if (step > 9) svg("text", { class: "label", transform: `translate(${middle + 4} ${height - bottom + 10}) rotate(-35)`, "text-anchor": "end" }, chart, labels[p].length > 16 ? `${labels[p].slice(0, 15)}\u2026` : labels[p]);
    if (value !== null && step > 34) svg("text", { x: middle, y: y(value) - 4, "text-anchor": "middle" }, chart, format(value));
  });
  axis(chart, left, height - bottom, width - 6, height - bottom);
}

const chartRects = { icicle: new Map(), timeline: new Map() };

function drawIcicle() {
  const rects = chartRects.icicle;
  rects.clear();
  // One walk gives every line its interval: a module spans what lies inside it.
  const shown = [];
  const from = new Float64Array(lines.length);
  const to = new Float64Array(lines.length);
  let sum = 0;
  let depth = 1;
  lines.forEach((line, i) => {
    from[i] = sum;
    const counts = line.kind === "OPERATION" && !(state.fold && isRepetition(i));
    if (counts) sum += Math.max(0, valueOf(i, state.problem, "mean") ?? 0);
    to[i] = sum;
    if (counts || isModule(i)) shown.push(i);
    depth = Math.max(depth, line.depth + 1);
  });
  const { chart, width } = canvas("icicle", depth * 20 + 34);
  const scale = (width - 8) / Math.max(1e-9, sum);
  for (const i of shown) {
    const w = (to[lastInside[i]] - from[i]) * scale;
    if (w < 0.4 || isCollapsed(i)) continue;
    const x = 4 + from[i] * scale;
    const y = 4 + lines[i].depth * 20;
    const rect = svg("rect", { class: "node", x, y, width: w, height: 19, fill: colour(i) }, chart);
    svg("title", {}, rect, `${pathOf(i)}: ${format(w / scale, "mean")} us`);
    rect.addEventListener("click", () => reveal(i));
    rects.set(i, rect);
    inside(chart, x, y + 13, w, lines[i].name);
  }
  svg("text", { x: width / 2, y: depth * 20 + 24, "text-anchor": "middle" }, chart, `sum of kernel times, ${format(sum, "mean")} us`);
  markSelected();
}

function drawTimeline() {
  const { spans, run, title } = problems[state.problem];
  const rects = chartRects.timeline;
  rects.clear();
  if (spans.length === 0) return message("timeline", "The runs of this problem differ, so no single one is shown.");
  const lanes = [...new Set(spans.map((span) => span[3]))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const end = Math.max(...spans.map((span) => span[1] + span[2]));
  const lane = (name) => (lanes.every((other) => other.startsWith("0:")) ? `stream ${name.slice(2)}` : `GPU ${name.replace(":", " stream ")}`);
  const left = 14 + 6.4 * Math.max(...lanes.map((name) => lane(name).length), 7);
  const { chart, width, height } = canvas("timeline", lanes.length * 24 + 62);
  const x = (time) => left + (time / Math.max(1e-9, end)) * (width - left - 8);
  svg("text", { x: 2, y: 12 }, chart, `run ${run} of ${title}`);
  lanes.forEach((name, k) => svg("text", { x: 2, y: 36 + k * 24 }, chart, lane(name)));
  for (const [row, start, duration, on] of spans) {
    const line = lineOfRow[row];
    const at = { x: x(start), y: 22 + lanes.indexOf(on) * 24, width: Math.max(0.5, x(start + duration) - x(start)), height: 20 };
    const rect = svg("rect", { class: "node", ...at, fill: colour(line) }, chart);
    svg("title", {}, rect, `${pathOf(line)}\nstart ${format(start, "mean")} us, ${format(duration, "mean")} us, ${lane(on)}`);
    rect.addEventListener("click", () => reveal(line));
    rects.set(line, rect);
    inside(chart, at.x, at.y + 14, at.width, lines[line].name);
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

/** A power of ten. */
function power(value) {
  return value < 0.0005 || value > 50000 ? value.toExponential(0) : String(Number(value.toPrecision(1)));
}

function drawRoofline() {
  const p = state.problem;
  const points = lines.keys().filter((i) => !isModule(i) && lines[i].compute?.[p] > 0 && lines[i].intensity?.[p] > 0).toArray();
  if (points.length === 0) return message("roofline", "This trace has no cost records: run the benchmark with this project's recorder to get them.");
  const peak = (i) => (lines[i].limit[p] > 0 ? lines[i].compute[p] / (lines[i].limit[p] / 100) : null);
  const limited = points.filter((i) => peak(i) !== null);
  // A row bound by memory stands on the slope, so the steepest line to any row's limit is the bandwidth's.
  const slope = Math.max(0, ...limited.map((i) => peak(i) / lines[i].intensity[p]));
  const top = Math.max(0, ...limited.filter((i) => peak(i) < 0.98 * slope * lines[i].intensity[p]).map(peak)) || Infinity;
  const roofs = limited.map((i) => [lines[i].intensity[p], peak(i)]);
  const all = points.map((i) => [lines[i].intensity[p], lines[i].compute[p]]).concat(roofs);
  const low = (k) => 10 ** Math.floor(Math.log10(Math.min(...all.map((point) => point[k]))));
  const high = (k) => 10 ** Math.ceil(Math.log10(Math.max(...all.map((point) => point[k]))) + 1e-9);
  const { chart, width, height } = canvas("roofline", 260);
  const [left, bottom] = [52, 40];
  const scale = (value, from, to, a, b) => a + ((Math.log10(value) - Math.log10(from)) / Math.max(1e-9, Math.log10(to) - Math.log10(from))) * (b - a);
  const [x0, x1, y0, y1] = [low(0), high(0), low(1), high(1)];
  const x = (value) => scale(value, x0, x1, left, width - 18);
  const y = (value) => scale(value, y0, y1, height - bottom, 8);
  for (let v = x0; v <= x1 * 1.001; v *= 10) { svg("line", { class: "grid", x1: x(v), x2: x(v), y1: 8, y2: height - bottom }, chart); svg("text", { x: x(v), y: height - bottom + 13, "text-anchor": "middle" }, chart, power(v)); }
  for (let v = y0; v <= y1 * 1.001; v *= 10) { svg("line", { class: "grid", x1: left, x2: width - 18, y1: y(v), y2: y(v) }, chart); svg("text", { x: left - 4, y: y(v) + 4, "text-anchor": "end" }, chart, power(v)); }
  if (limited.length > 0) {
    const roof = [x0, Math.min(x1, top / slope), x1].map((value) => [value, Math.min(slope * value, top)]);
    const clipped = roof.filter((point) => point[1] >= y0 * 0.999).map((point) => `${x(point[0])},${Math.max(0, y(point[1]))}`);
    if (slope * x0 < y0) clipped.unshift(`${x(y0 / slope)},${y(y0)}`);
    svg("polyline", { class: "roof", points: clipped.join(" ") }, chart);
  }
  for (const i of limited) {
    // From a row up to its own limit: what is left to gain.
    const at = x(lines[i].intensity[p]);
    svg("line", { class: "headroom", x1: at, x2: at, y1: y(lines[i].compute[p]), y2: y(peak(i)) }, chart);
    svg("line", { class: "headroom", x1: at - 4, x2: at + 4, y1: y(peak(i)), y2: y(peak(i)) }, chart);
  }
  for (const i of points) {
    const dot = svg("circle", { class: "node", cx: x(lines[i].intensity[p]), cy: y(lines[i].compute[p]), r: 4.5, fill: colour(i) }, chart);
    svg("title", {}, dot, describe(i, p));
    dot.addEventListener("click", () => reveal(i));
  }
  svg("text", { x: width / 2, y: height - 6, "text-anchor": "middle" }, chart, limited.length > 0 ? "operational intensity (FLOP/byte); line: nominal rates, stems: to each row's limit" : "operational intensity (FLOP/byte)");
  svg("text", { transform: `translate(11 ${height / 2}) rotate(-90)`, "text-anchor": "middle" }, chart, "compute (TFLOP/s)");
}

function markSelected() {
  for (const rects of Object.values(chartRects)) {
    for (const rect of rects.values()) rect.classList.remove("pick");
    rects.get(state.line)?.classList.add("pick");
  }
}

/** The charts that show the selected problem. */
function drawProblem() {
  drawIcicle();
  drawTimeline();
  drawRoofline();
}
