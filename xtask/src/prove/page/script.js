"use strict";
// Without a script the page shows everything; with it the reader can look for something.
(() => {
  const find = document.getElementById("find");
  const waiting = document.getElementById("waiting");
  const shown = document.getElementById("shown");
  const history = document.querySelector("details.history");
  if (!find || !waiting || !shown) return;
  const steps = Array.from(document.querySelectorAll("details.step"), (details) => ({
    details,
    row: document.querySelector(`tr[data-step="${details.id.slice("step-".length)}"]`),
    text: details.textContent.toLowerCase(),
    waits: details.dataset.waits !== "no-one",
  }));
  const filter = () => {
    const wanted = find.value.trim().toLowerCase();
    let count = 0;
    for (const { details, row, text, waits } of steps) {
      const visible = text.includes(wanted) && (waits || !waiting.checked);
      details.hidden = !visible;
      if (row) row.hidden = !visible;
      count += visible ? 1 : 0;
    }
    shown.textContent = count === steps.length ? "" : `${count} of ${steps.length}`;
    // What is found in the history is shown there.
    if (history && (wanted || waiting.checked)) history.open = true;
  };
  // A link to a migration that is folded up unfolds it.
  const unfold = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target || !target.matches("details.step")) return;
    target.open = true;
    const around = target.parentElement.closest("details");
    if (around) around.open = true;
    target.scrollIntoView();
  };
  find.addEventListener("input", filter);
  waiting.addEventListener("change", filter);
  window.addEventListener("hashchange", unfold);
  document.querySelector(".filter").hidden = false;
  unfold();
})();
