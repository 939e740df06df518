// Rating by keyboard, beyond what keys.js does: which answer the keys are about, Enter, and where the focus goes
// after a form was replaced by its answer.

const inbox = document.querySelector("[data-rate-inbox]");
const rows = () => [...(inbox?.querySelectorAll("[data-walk]") ?? [])];

function makeCurrent(row) {
  for (const other of rows()) {
    if (other === row) other.setAttribute("aria-current", "true");
    else other.removeAttribute("aria-current");
  }
}

// Before anything is focused the keys are about the first answer.
if (inbox && !location.hash) makeCurrent(rows()[0]);

document.addEventListener("focusin", (event) => {
  const row = event.target.closest("[data-rate-inbox] [data-walk]");
  if (row) makeCurrent(row);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.matches("textarea[data-enter-sends]") && !event.shiftKey) {
    event.preventDefault();
    event.target.form.requestSubmit();
  } else if (event.target.matches("[data-walk]")) {
    event.target.querySelector("a[data-open]")?.click();
  }
});

// "toggle" does not bubble, so it is caught on its way down.
document.addEventListener("toggle", (event) => {
  if (event.target.matches(".rating-reason") && event.target.open) {
    event.target.querySelector("input[type=checkbox], button")?.focus();
  }
}, true);

document.addEventListener("htmx:afterSettle", (event) => {
  const row = event.target.closest?.("[data-walk]");
  if (!row) return;
  row.classList.toggle("is-done", Boolean(row.querySelector("[aria-pressed=true], .chip")));
  if (document.activeElement === document.body) row.focus({ preventScroll: true });
});
