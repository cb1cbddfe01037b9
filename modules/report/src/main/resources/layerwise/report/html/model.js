"use strict";
// The report's numbers, and which of them are shown. Nothing here touches the page.

const data = JSON.parse(document.getElementById("data").textContent);
const lines = data.lines;
const problems = data.problems;
const metrics = {
  mean: { unit: "us", decimals: 1, sums: true },
  median: { unit: "us", decimals: 1, sums: false },
  p90: { unit: "us", decimals: 1, sums: false },
  share: { unit: "% of total", decimals: 1, sums: true },
  compute: { unit: "TFLOP/s", decimals: null, sums: false },
  memory: { unit: "GB/s", decimals: null, sums: false },
  limit: { unit: "% of limit", decimals: 1, sums: false },
  ceiling: { unit: "% of ceiling", decimals: 1, sums: false },
};
const state = { line: 0, problem: 0, metric: "mean", search: "", fold: data.repeats.length > 0, sort: null, collapsed: new Set() };

const parent = new Int32Array(lines.length).fill(-1); // the module around a line
const lastInside = new Int32Array(lines.length); // the last line inside a module
const lineOfRow = [];
{
  const open = [];
  lines.forEach((line, i) => {
    while (open.length > 0 && lines[open[open.length - 1]].depth >= line.depth) open.pop();
    if (open.length > 0) parent[i] = open[open.length - 1];
    lastInside[i] = i;
    for (const module of open) lastInside[module] = i;
    if (isModule(i)) open.push(i);
    else lineOfRow[line.row] = i;
  });
}

function isModule(i) {
  return lines[i].kind === "MODULE";
}

function lastRow(i) {
  let last = lastInside[i];
  while (isModule(last)) last--;
  return lines[last].row;
}

/** The repeated block that a line lies in, if any: modules count when they lie in it completely. */
function blockOf(i) {
  const first = lines[i].row;
  return data.repeats.find((block) => first >= block.row && lastRow(i) < block.row + block.rows * block.times);
}

const blocks = lines.map((line, i) => blockOf(i));

/** Whether a line belongs to the second or a later repetition of its block. */
function isRepetition(i) {
  const block = blocks[i];
  return block !== undefined && lines[i].row >= block.row + block.rows;
}

/** The values of a row in every repetition of its block. */
function repetitions(i, problem, metric) {
  const block = blocks[i];
  const values = [];
  for (let k = 0; k < block.times; k++) {
    const at = lineOfRow[block.row + ((lines[i].row - block.row) % block.rows) + k * block.rows];
    const value = lines[at][metric]?.[problem];
    if (value !== null && value !== undefined) values.push(value);
  }
  return values;
}

function average(values) {
  return values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
}

/** What a cell shows: a folded line the mean of its repetitions, a module in a folded block the sum of one. */
function valueOf(i, problem, metric = state.metric) {
  const block = blocks[i];
  if (!state.fold || block === undefined) return lines[i][metric]?.[problem] ?? null;
  if (!isModule(i)) return average(repetitions(i, problem, metric));
  if (!metrics[metric].sums) return lines[i].row + block.rows > lastRow(i) ? (lines[i][metric]?.[problem] ?? null) : null;
  let sum = null;
  for (let j = i + 1; j <= lastInside[i]; j++) {
    if (isModule(j) || isRepetition(j)) continue;
    const value = valueOf(j, problem, metric);
    if (value !== null) sum = (sum ?? 0) + value;
  }
  return sum;
}

function format(value, metric = state.metric) {
  if (value === null) return "";
  const { decimals } = metrics[metric];
  // Rates span many powers of ten: three digits, or all before the point.
  return decimals === null && Math.abs(value) < 100 ? value.toPrecision(3) : value.toFixed(decimals ?? 0);
}

function pathOf(i) {
  const names = [lines[i].name];
  for (let at = parent[i]; at >= 0; at = parent[at]) names.unshift(lines[at].name);
  return names.join(" > ");
}

function isCollapsed(i) {
  for (let at = parent[i]; at >= 0; at = parent[at]) if (state.collapsed.has(at)) return true;
  return false;
}

/** For every line whether it is visible. */
function visibility() {
  const wanted = state.search.toLowerCase();
  const matches = lines.map((line) => wanted === "" || line.name.toLowerCase().includes(wanted));
  if (wanted !== "") {
    for (let i = 0; i < lines.length; i++) if (parent[i] >= 0 && matches[parent[i]]) matches[i] = true;
    for (let i = lines.length - 1; i >= 0; i--) if (matches[i] && parent[i] >= 0) matches[parent[i]] = true;
  }
  return lines.map((line, i) => {
    if (line.kind === "TOTAL") return true;
    if (!matches[i] || (state.fold && isRepetition(i))) return false;
    return state.sort !== null ? !isModule(i) : !isCollapsed(i);
  });
}
