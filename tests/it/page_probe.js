"use strict";
// What a browser makes of the page, and what happens when somebody uses it, told to the page around it.
const later = (work) => setTimeout(work, 50);
window.addEventListener("load", () => later(() => {
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const find = document.getElementById("find");
  const shown = () => all("details.step:not([hidden]) h3").map((heading) => heading.textContent);
  const type = (text) => {
    find.value = text;
    find.dispatchEvent(new Event("input"));
    return shown();
  };
  // Tables and SQL may be wider: they scroll by themselves.
  const wide = all("body *").filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, pre"));
  // On a narrow screen only the locks over time scroll.
  all("details").forEach((e) => { e.dataset.was = e.open; e.open = true; });
  const cut = innerWidth < 640 ? all("pre, .stacked").filter((e) => e.scrollWidth > e.clientWidth + 1) : [];
  const parts = cut.map((element) => element.outerHTML.slice(0, 90));
  all("details").forEach((e) => { e.open = e.dataset.was === "true"; });
  const ground = (element) => getComputedStyle(element).backgroundColor;
  const result = {
    width: innerWidth,
    overflow: document.documentElement.scrollWidth > innerWidth,
    cut: parts,
    wide: wide.map((element) => element.outerHTML.slice(0, 90)),
    requests: performance.getEntriesByType("resource").map((entry) => entry.name),
    all: shown(),
    found: type("SHOP.NOTES"),
    none: type("no such thing"),
    again: type(""),
    bars: all("td.bar.everyone").length,
    red: ground(document.querySelector("td.bar.everyone")) !== ground(document.querySelector("td.bar.no-one")),
  };
  document.getElementById("waiting").click();
  result.waiting = shown();
  result.rows = all("tr[data-step]:not([hidden])").length;
  result.said = document.getElementById("shown").textContent;
  const folded = document.querySelector("details.step:not([open])");
  location.hash = folded.id;
  later(() => {
    result.unfolded = folded.open;
    result.errors = window.errors;
    parent.postMessage(JSON.stringify(result), "*");
  });
}));
