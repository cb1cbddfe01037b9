"use strict";
// Sorting and searching of plain tables; they are complete without it.

const tables = [...document.querySelectorAll("table.plain")].map((table) => ({
  headings: [...table.tHead.rows[0].cells],
  body: table.tBodies[0],
  inOrder: [...table.tBodies[0].rows],
}));

/** Falling, rising, as it was. */
function sort({ headings, body, inOrder }, column) {
  const before = headings[column].ariaSort;
  const after = before === "descending" ? "ascending" : before === "ascending" ? "none" : "descending";
  for (const heading of headings) heading.ariaSort = "none";
  headings[column].ariaSort = after;
  const figures = headings[column].classList.contains("figures");
  const text = (row) => row.cells[column].textContent;
  const number = (row) => (text(row) === "" ? -Infinity : Number(text(row)));
  const rising = figures ? (a, b) => number(a) - number(b) : (a, b) => text(a).localeCompare(text(b), "en");
  const rows = [...inOrder];
  if (after !== "none") rows.sort(after === "ascending" ? rising : (a, b) => rising(b, a));
  body.append(...rows);
}

for (const table of tables) {
  table.headings.forEach((heading, column) => heading.firstChild.addEventListener("click", () => sort(table, column)));
}

document.getElementById("search").addEventListener("input", (event) => {
  const wanted = event.target.value.trim().toLowerCase();
  for (const { headings, inOrder } of tables) {
    const texts = headings.flatMap((heading, column) => (heading.classList.contains("texts") ? [column] : []));
    for (const row of inOrder) {
      row.hidden = wanted !== "" && !texts.some((column) => row.cells[column].textContent.toLowerCase().includes(wanted));
    }
  }
});

document.getElementById("theme").addEventListener("click", () => {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
  document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
});

document.getElementById("toolbar").hidden = false;
