// Small manners of every page: copy buttons, menus that close, the current entry in view, quiet polling.

async function copy(button) {
  const source = button.closest("[data-copy-root]")?.querySelector("[data-copy-text]");
  const text = button.dataset.copy || source?.textContent || "";
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    // Plain http on another host has no clipboard: select the text instead.
    if (source) getSelection().selectAllChildren(source);
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => { button.textContent = label; }, 1600);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copy-button]");
  if (button) copy(button);
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  if (event.target.closest("[data-print]")) print();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  for (const term of document.querySelectorAll(".term:is(:hover, :focus-within)")) {
    term.dataset.dismissed = "";
    for (const end of ["mouseleave", "focusout"]) {
      term.addEventListener(end, () => { delete term.dataset.dismissed; }, { once: true });
    }
  }
});

// A filter that submits itself: <select data-autosubmit>. The form keeps its button for everyone else.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-autosubmit]")) event.target.form.requestSubmit();
});

// A hidden tab asks nothing: elements with data-poll wait until they are seen.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.detail.elt.hasAttribute("data-poll")) event.preventDefault();
});

const bar = document.querySelector(".nav-bar");
const current = bar?.querySelector("[aria-current]");
if (current && bar.scrollWidth > bar.clientWidth) {
  bar.scrollLeft = current.offsetLeft - (bar.clientWidth - current.offsetWidth) / 2;
}
