// Keyboard: data-key="j k ArrowLeft" on a link, button or field is pressed or focused by these keys.
// data-key-scope on an ancestor limits it to while that ancestor is current (aria-current) or has focus.

function typing(target) {
  return target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
}

function reachable(element) {
  const scope = element.closest("[data-key-scope]");
  if (!scope) return true;
  return scope.contains(document.activeElement) || scope.getAttribute("aria-current") === "true";
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (typing(event.target)) return;
  for (const element of document.querySelectorAll("[data-key]")) {
    if (!element.dataset.key.split(" ").includes(event.key) || !reachable(element)) continue;
    // Arrows keep scrolling a box that has the focus.
    if (event.key.startsWith("Arrow") && event.target.closest(".scroll")) return;
    event.preventDefault();
    if (element.matches("input:not([type=checkbox], [type=radio]), textarea, select")) element.focus();
    else element.click();
    return;
  }
});

// j and k walk through [data-walk] items.
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!["j", "k"].includes(event.key) || typing(event.target)) return;
  const items = [...document.querySelectorAll("[data-walk]")];
  if (!items.length) return;
  const here = items.findIndex((item) => item.contains(document.activeElement));
  const next = here < 0 ? 0 : here + (event.key === "j" ? 1 : -1);
  const item = items[Math.min(Math.max(next, 0), items.length - 1)];
  (item.matches("a, button, [tabindex]") ? item : item.querySelector("a, button, [tabindex]"))?.focus();
  item.scrollIntoView({ block: "nearest" });
  event.preventDefault();
});
