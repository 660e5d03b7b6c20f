// A Job that is being drafted: only what fits the chosen payment is shown. What is hidden is not
// sent either, so it cannot contradict the choice. Without this the page says what belongs to which.
"use strict";

const kinds = document.querySelectorAll("input[name='kind']");

function showWhatFits() {
  const chosen = [...kinds].find((kind) => kind.checked)?.value;
  for (const part of document.querySelectorAll("[data-kind]")) {
    part.hidden = Boolean(chosen) && part.dataset.kind !== chosen;
    for (const input of part.querySelectorAll("input:not([type=hidden]), textarea")) {
      input.disabled = part.hidden;
    }
  }
}

for (const kind of kinds) kind.addEventListener("change", showWhatFits);
window.addEventListener("pageshow", showWhatFits);
