// Runs before the first paint, so that a chosen theme does not flash. Classic script on purpose.
(() => {
  const root = document.documentElement;
  root.dataset.js = "";
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch {
    // Storage can be forbidden; the page then follows the system.
  }
})();
