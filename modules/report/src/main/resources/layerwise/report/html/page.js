// Wires the page: events in, drawing out.

function showAll() {
  showValues();
  showNames();
  showRows();
}

document.getElementById("kernels").addEventListener("click", (event) => {
  const title = event.target.closest("thead button");
  if (title !== null) return sortBy(Number(title.dataset.problem));
  const row = event.target.closest("tr[data-line]");
  if (row === null) return undefined;
  const line = Number(row.dataset.line);
  const cell = event.target.closest("td");
  return cell === null ? toggle(line) : select(line, cell.cellIndex - 1);
});

document.getElementById("kernels").addEventListener("mouseover", (event) => {
  const cell = event.target.closest("td");
  if (cell !== null && !cell.title) cell.title = describe(Number(cell.parentNode.dataset.line), cell.cellIndex - 1);
});

document.getElementById("toolbar").addEventListener("click", (event) => {
  const level = event.target.closest("button[data-level]");
  if (level !== null) showLevel(Number(level.dataset.level));
});

document.getElementById("search").addEventListener("input", (event) => {
  state.search = event.target.value.trim();
  showRows();
});

document.getElementById("metric").addEventListener("change", (event) => {
  state.metric = event.target.value;
  for (const cell of document.querySelectorAll("#kernels td[title]")) cell.removeAttribute("title");
  showAll();
  drawBars();
});

document.getElementById("fold").addEventListener("change", (event) => {
  state.fold = event.target.checked;
  for (const cell of document.querySelectorAll("#kernels td[title]")) cell.removeAttribute("title");
  showAll();
  drawBars();
  drawIcicle();
});

document.getElementById("unsort").addEventListener("click", () => {
  state.sort = null;
  showNames();
  showRows();
});

document.getElementById("theme").addEventListener("click", () => {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
  document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, summary") !== null) return;
  const at = visible.indexOf(state.line);
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  if (event.key in steps) {
    const [down, right] = steps[event.key];
    const row = visible[Math.min(visible.length - 1, Math.max(0, at + down))] ?? state.line;
    const problem = Math.min(problems.length - 1, Math.max(0, state.problem + right));
    event.preventDefault();
    select(row, problem, true);
  } else if ("+=".includes(event.key) && state.collapsed.has(state.line)) {
    toggle(state.line);
  } else if ("-_".includes(event.key) && isModule(state.line) && !state.collapsed.has(state.line)) {
    toggle(state.line);
  }
});

let resized = 0;
addEventListener("resize", () => {
  cancelAnimationFrame(resized);
  resized = requestAnimationFrame(drawCharts);
});

function drawCharts() {
  drawBars();
  drawProblem();
  drawMetrics();
}

document.body.classList.add("scripted");
document.getElementById("toolbar").hidden = false;
document.getElementById("charts").hidden = false;
document.getElementById("bars").parentNode.hidden = problems.length < 2;
document.getElementById("fold-label").hidden = data.repeats.length === 0;
document.getElementById("fold").checked = state.fold;
showAll();
drawMetrics();
if (visible.length > 0 && problems.length > 0) select(visible[0], 0);
