"use strict";
/* Filters the table of findings. */
(() => {
  const table = document.getElementById("findings");
  if (!table) return;
  const rows = [...table.tBodies[0].rows].map((row) => [row, row.textContent.toLowerCase()]);
  const text = document.getElementById("text"), severity = document.getElementById("severity"), kind = document.getElementById("kind");
  const filter = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const [row, said] of rows) {
      const fits = (!severity.value || row.dataset.severity === severity.value)
        && (!kind.value || row.dataset.kind === kind.value) && words.every((word) => said.includes(word));
      row.hidden = !fits;
      shown += fits;
    }
    document.getElementById("count").textContent = `${shown} of ${rows.length} shown`;
  };
  for (const one of [text, severity, kind]) one.addEventListener("input", filter);
})();
