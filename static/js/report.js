// A Status Report that is being written: "Add to Billing" ticks itself when a Milestone rises to
// 100 %, and the billing section follows. Without this the server shows the page once more.
"use strict";

const report = document.getElementById("report");
const lines = report ? report.querySelectorAll(".report-line[data-number]") : [];

for (const line of lines) {
  const percent = line.querySelector("input[type=number]");
  const box = line.querySelector("input[type=checkbox]");
  if (!box) continue;
  const asked = line.querySelector("input[name$='-asked']");
  const before = Number(line.dataset.before);

  function follow() {
    const isComplete = Number(percent.value) === 100;
    box.disabled = !isComplete;
    if (isComplete === (asked.value === "1")) return;
    box.checked = isComplete && before < 100;
    asked.value = isComplete ? "1" : "";
    showBilling();
  }

  percent.addEventListener("input", follow);
  box.addEventListener("change", showBilling);
  follow(); // what was typed before this script ran
}

function showBilling() {
  const totals = [0, 0, 0];
  let rows = 0;
  for (const row of report.querySelectorAll("[data-billed]")) {
    const box = document.getElementById(`id_m${row.dataset.billed}-bill`);
    row.hidden = !box.checked;
    if (!box.checked) continue;
    rows += 1;
    row.dataset.amounts.split(" ").forEach((amount, column) => (totals[column] += Number(amount)));
  }
  report.querySelector("[data-billing=none]").hidden = rows > 0;
  report.querySelector("[data-billing=some]").hidden = rows === 0;
  for (const cell of report.querySelectorAll("[data-total]")) {
    cell.textContent = display(totals[cell.dataset.total]);
  }
}

function display(amountMinor) {
  const format = new Intl.NumberFormat(document.documentElement.lang, {
    style: "currency",
    currency: report.dataset.currency,
  });
  return format.format(amountMinor / 10 ** format.resolvedOptions().maximumFractionDigits);
}
