"use strict";
// Legend and zoom; the charts are complete without them.

const charts = document.querySelectorAll("svg.zoomable");
const slider = document.getElementById("zoom");
let centre = 700;

function zoom() {
  const width = 1400 / Number(slider.value);
  const left = Math.min(1400 - width, Math.max(0, centre - width / 2));
  for (const chart of charts) {
    chart.setAttribute("viewBox", `${left} 0 ${width} 420`);
    chart.setAttribute("preserveAspectRatio", "none");
  }
}

for (const box of document.querySelectorAll("input[data-series]")) {
  box.addEventListener("change", () => {
    for (const group of document.querySelectorAll(`g[data-series="${box.dataset.series}"]`)) {
      group.style.display = box.checked ? "" : "none";
    }
  });
}

slider.addEventListener("input", zoom);
for (const chart of charts) {
  chart.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = chart.viewBox.baseVal;
    centre = box.x + (event.offsetX / chart.clientWidth) * box.width;
    slider.value = Number(slider.value) * (event.deltaY < 0 ? 1.25 : 0.8);
    zoom();
  }, { passive: false });
}
