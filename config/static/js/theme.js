// Loaded in <head> without defer: the choice must be on <html> before the first paint.
(function () {
  "use strict";
  const root = document.documentElement;
  const key = "whetstone.theme";

  function read() {
    try {
      return localStorage.getItem(key) || "system";
    } catch {
      return "system";
    }
  }

  function show(choice) {
    if (choice === "light" || choice === "dark") root.dataset.theme = choice;
    else delete root.dataset.theme;
    for (const button of document.querySelectorAll("[data-theme-set]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeSet === choice));
    }
  }

  function choose(choice) {
    try {
      localStorage.setItem(key, choice);
    } catch {
      // Storage may be forbidden; the choice then lasts as long as the page.
    }
    show(choice);
  }

  root.classList.add("js");
  show(read());
  document.addEventListener("DOMContentLoaded", () => show(read()));
  window.addEventListener("storage", (event) => {
    if (event.key === key) show(read());
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-set]");
    if (button) choose(button.dataset.themeSet);
  });
})();
