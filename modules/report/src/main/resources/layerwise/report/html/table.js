// The table: cells, folding, sorting, selection.

const rows = [];
for (const row of document.querySelectorAll("#kernels tr[data-line]")) rows[Number(row.dataset.line)] = row;
const body = document.querySelector("#kernels tbody");
const column = document.getElementById("column"); // over the selected column: a mark in its cells would paint every row anew
const titles = document.querySelectorAll("#kernels thead button");
let visible = [];
let pickedCell = null;
let drawing = 0;
let undrawn = false;

function showValues() {
  rows.forEach((row, i) => {
    for (let p = 0; p < problems.length; p++) {
      const text = format(valueOf(i, p));
      const cell = row.cells[p + 1];
      if (cell.textContent !== text) cell.textContent = text;
    }
  });
}

function showNames() {
  rows.forEach((row, i) => {
    const block = blocks[i];
    const times = state.fold && block !== undefined ? ` \u00d7${block.times}` : "";
    const name = state.sort !== null && lines[i].kind !== "TOTAL" ? pathOf(i) : lines[i].name;
    row.cells[0].firstChild.textContent = name + times;
    row.cells[0].title = pathOf(i) + times;
    row.cells[0].style.setProperty("--depth", state.sort === null ? lines[i].depth : 0);
    row.cells[0].style.setProperty("--group", groupOf(i) < 0 ? "transparent" : colour(groupOf(i)));
  });
}

function showRows() {
  const shown = visibility();
  visible = [];
  rows.forEach((row, i) => {
    row.hidden = !shown[i];
    row.classList.toggle("collapsed", state.collapsed.has(i));
    if (isModule(i)) row.setAttribute("aria-expanded", String(!state.collapsed.has(i)));
  });
  const order = rows.map((row, i) => i).filter((i) => lines[i].kind !== "TOTAL");
  if (state.sort !== null) {
    const { problem, falling } = state.sort;
    const key = (i) => valueOf(i, problem) ?? -Infinity;
    order.sort((a, b) => (falling ? key(b) - key(a) : key(a) - key(b)) || a - b);
  }
  if (state.sort !== null || body.dataset.sorted === "true") {
    body.append(...order.map((i) => rows[i]));
    body.dataset.sorted = String(state.sort !== null);
  }
  const total = rows.findIndex((row, i) => lines[i].kind === "TOTAL");
  visible = order.concat(total >= 0 ? [total] : []).filter((i) => shown[i]);
  document.getElementById("unsort").hidden = state.sort === null;
  titles.forEach((title, p) => {
    const direction = state.sort?.problem !== p ? "none" : state.sort.falling ? "descending" : "ascending";
    title.closest("th").setAttribute("aria-sort", direction);
  });
}

function toggle(i) {
  if (!isModule(i)) return;
  if (!state.collapsed.delete(i)) state.collapsed.add(i);
  showRows();
  drawIcicle();
}

function showLevel(level) {
  state.collapsed = new Set(lines.keys().filter((i) => isModule(i) && lines[i].depth >= level));
  showRows();
  drawIcicle();
}

function sortBy(problem) {
  const again = state.sort?.problem === problem;
  state.sort = again && !state.sort.falling ? null : { problem, falling: !again };
  showNames();
  showRows();
}

function select(line, problem, scroll = false) {
  const otherProblem = problem !== state.problem || pickedCell === null;
  if (pickedCell !== null) {
    pickedCell.classList.remove("picked");
    rows[state.line].classList.remove("picked");
  }
  state.line = line;
  state.problem = problem;
  pickedCell = rows[line].cells[problem + 1];
  pickedCell.classList.add("picked");
  rows[line].classList.add("picked");
  column.hidden = problems.length === 1;
  column.style.setProperty("--problem", problem);
  if (scroll) rows[line].scrollIntoView({ block: "nearest" });
  drawLater(otherProblem);
}

/** Draws the charts of the selection once the frame that marks it is painted, which a timer set in that frame waits for. */
function drawLater(wholeProblem) {
  undrawn ||= wholeProblem;
  requestAnimationFrame(() => {
    clearTimeout(drawing);
    drawing = setTimeout(drawSelected);
  });
}

function drawSelected() {
  drawBars();
  drawFrames();
  if (undrawn) drawProblem();
  else markSelected();
  undrawn = false;
}

/** Selects a row from a chart: opens what hides it. */
function reveal(line) {
  for (let at = parent[line]; at >= 0; at = parent[at]) state.collapsed.delete(at);
  if (state.fold && isRepetition(line)) {
    const block = blocks[line];
    line = lineOfRow[block.row + ((lines[line].row - block.row) % block.rows)];
  }
  showRows();
  select(line, state.problem, true);
}

function describe(i, problem) {
  const parts = [pathOf(i), problems[problem].title];
  for (const metric of Object.keys(metrics)) {
    const value = valueOf(i, problem, metric);
    if (value !== null) parts.push(`${metric} ${format(value, metric)} ${metrics[metric].unit}`);
  }
  if (state.fold && blocks[i] !== undefined && !isModule(i)) {
    const all = repetitions(i, problem, "mean");
    parts.push(`${all.length} repeats: min ${format(Math.min(...all), "mean")}, max ${format(Math.max(...all), "mean")} us`);
  }
  return parts.join("\n");
}
