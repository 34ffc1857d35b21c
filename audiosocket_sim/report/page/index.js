// The filters, the sorting, the distributions of what is shown, the pages in this one. Without it all calls are shown.
const form = document.getElementById("filters");
const shown = document.getElementById("shown");
const table = document.getElementById("rows");
const body = table.tBodies[0];
const rows = [...body.rows];
const words = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));

function fits(row, wanted) {
  for (const [key, value] of wanted) {
    if (!value) continue;
    if (key === "text" && !words.get(row).includes(value.toLowerCase())) return false;
    if (key === "tags" && !row.dataset.tags.split(" ").includes(value)) return false;
    if (key !== "text" && key !== "tags" && row.dataset[key] !== value) return false;
  }
  return true;
}

function filter() {
  const wanted = [...new FormData(form)];
  let count = 0;
  for (const row of rows) {
    row.hidden = !fits(row, wanted);
    if (!row.hidden) count += 1;
  }
  shown.textContent = `${count} of ${rows.length} calls are shown`;
  document.querySelectorAll(".plot").forEach(plot);
  const chosen = new URLSearchParams(wanted.filter(([, value]) => value));
  history.replaceState(null, "", `#${chosen}`);
}

function plot(section) {
  const cells = [...section.querySelectorAll("tbody tr")];
  const counts = cells.map(() => 0);
  for (const row of rows) {
    if (row.hidden) continue;
    for (const text of row.dataset[section.dataset.kind].split(" ")) {
      if (!text) continue;
      const at = cells.findIndex(({ dataset: { from, to } }) =>
        text === "never" ? from === "" : from !== "" && +text >= +from && +text < +to);
      if (at >= 0) counts[at] += 1;
    }
  }
  const most = Math.max(1, ...counts);
  section.querySelectorAll("rect").forEach((bar, n) => {
    const height = (200 * counts[n]) / most;
    bar.setAttribute("height", height);
    bar.setAttribute("y", 205 - height);
    cells[n].cells[1].textContent = counts[n];
  });
}

function sortBy(column, head) {
  const descending = head.getAttribute("aria-sort") !== "descending" && head.classList.contains("number")
    || head.getAttribute("aria-sort") === "ascending";
  const value = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
  const order = (a, b) => head.classList.contains("number") ? a - b : a.localeCompare(b, "en", { numeric: true });
  rows.sort((a, b) => order(value(a), value(b)) * (descending ? -1 : 1));
  body.append(...rows);
  for (const other of head.parentNode.cells) other.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
}

[...table.tHead.rows[0].cells].forEach((head, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  button.addEventListener("click", () => sortBy(column, head));
  head.append(button);
  head.setAttribute("aria-sort", "none");
});
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(filter));
for (const [key, value] of new URLSearchParams(location.hash.slice(1))) {
  const field = form.elements.namedItem(key);
  if (field) field.value = value;
}
form.hidden = false;
for (const frame of document.querySelectorAll("iframe")) { // a page is made of its text only when it is looked at
  frame.closest("details").addEventListener("toggle", () => {
    frame.src = `data:text/html;charset=utf-8,${encodeURIComponent(frame.dataset.page)}`;
  }, { once: true });
}
if (location.hash) filter();
