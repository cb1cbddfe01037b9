// What is recorded on demand: samples of the GPU's metrics, and who launched a row.

function drawMetrics() {
  if (document.getElementById("metrics") === null || data.metrics.length === 0) return;
  const [left, lane, gap] = [230, 46, 8];
  const { chart, width, height } = canvas("metrics", data.metrics.length * (lane + gap) + 40);
  const end = Math.max(1e-9, ...data.windows.map((window) => window[1]));
  const x = (time) => left + (time / end) * (width - left - 10);
  const bottom = height - 32;
  for (const [from, to, title] of data.windows) {
    const rect = svg("rect", { class: "window", x: x(from), y: 4, width: Math.max(1, x(to) - x(from)), height: bottom - 4 }, chart);
    svg("title", {}, rect, title);
  }
  data.metrics.forEach(({ name, gpu, points }, k) => {
    const top = 6 + k * (lane + gap);
    const low = Math.min(0, ...points.map((point) => point[1]));
    const high = Math.max(low + 1e-9, ...points.map((point) => point[3]));
    const y = (value) => top + lane - ((value - low) / (high - low)) * lane;
    svg("text", { x: 2, y: top + 16 }, chart, `${name}`);
    svg("text", { x: 2, y: top + 32, class: "faint" }, chart, `GPU ${gpu}, ${Number(low.toPrecision(4))} to ${Number(high.toPrecision(6))}`);
    axis(chart, left, top + lane, width - 10, top + lane);
    if (points.length === 0) return;
    const band = points.map((point) => `${x(point[0])},${y(point[3])}`).concat(points.toReversed().map((point) => `${x(point[0])},${y(point[1])}`));
    svg("polygon", { class: "band", points: band.join(" ") }, chart);
    svg("polyline", { class: "mean", points: points.map((point) => `${x(point[0])},${y(point[2])}`).join(" ") }, chart);
    for (const [time, min, mean, max] of points) {
      const spot = svg("rect", { class: "spot", x: x(time) - 2, y: top, width: 4, height: lane }, chart);
      svg("title", {}, spot, `${name}\n${time} ms: ${mean}` + (min === max ? "" : ` (${min} to ${max})`));
    }
  });
  for (const tick of ticks(end, 8)) svg("text", { x: x(tick), y: bottom + 12, "text-anchor": "middle" }, chart, String(Number(tick.toPrecision(4))));
  svg("text", { x: (left + width) / 2, y: height - 4, "text-anchor": "middle" }, chart, "time since the first measured run (ms); shaded: measured runs of a problem");
}

function drawFrames() {
  if (document.getElementById("frames") === null) return;
  const number = isModule(state.line) ? -1 : (data.launchers[state.problem]?.[lines[state.line].row] ?? -1);
  if (number < 0) return message("frames", isModule(state.line) ? "Select a kernel." : "No frames were recorded for this row.");
  const list = document.createElement("ol");
  for (const frame of data.backtraces[number]) {
    const item = document.createElement("li");
    item.textContent = frame;
    list.append(item);
  }
  document.getElementById("frames").replaceChildren(list);
}
