// Manners of panels that refresh themselves (data-poll data-keep): they wait while somebody is inside them
// by keyboard or has text selected, and tables keep how far they were scrolled sideways.

function busy(panel) {
  const focused = document.activeElement;
  if (focused && focused !== panel && panel.contains(focused) && focused.matches(":focus-visible")) return true;
  const selection = getSelection();
  return Boolean(selection && !selection.isCollapsed && panel.contains(selection.anchorNode));
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const panel = event.detail.elt;
  if (panel.hasAttribute("data-keep") && busy(panel)) event.preventDefault();
});

let scrolled = [];

function boxes(root) {
  return [...root.querySelectorAll("[data-keep-scroll]")].map((table) => table.parentElement);
}

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.hasAttribute?.("data-keep")) {
    scrolled = boxes(event.detail.target).map((box) => box.scrollLeft);
  }
});

document.addEventListener("htmx:afterSwap", () => {
  boxes(document).forEach((box, index) => { box.scrollLeft = scrolled[index] ?? box.scrollLeft; });
  scrolled = [];
});
