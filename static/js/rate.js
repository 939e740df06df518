// Rating by keyboard, beyond what keys.js does: which answer the keys are about, Enter, c, Esc, and where the focus
// goes after a form was replaced by its answer.

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
    // What is said is said: the keys are about the answer again, not about the text.
    const row = event.target.closest("[data-walk]");
    event.target.blur();
    row?.focus({ preventScroll: true });
  } else if (event.target.matches("[data-walk]")) {
    event.target.querySelector("a[data-open]")?.click();
  }
});

// c goes straight to the comment, which a closed reason hides; Esc goes back.
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const reason = event.target.closest(".rating-reason[open]");
  if (event.key === "Escape" && reason) {
    reason.open = false;
    (reason.closest("[data-walk]") ?? reason.querySelector("summary")).focus();
    event.preventDefault();
  }
  if (event.key !== "c" || event.target.closest("textarea, select, input:not([type=checkbox], [type=radio])")) return;
  const here = event.target.closest("[data-key-scope]") ?? document.querySelector("[data-key-scope][aria-current=true]");
  const comment = here?.querySelector("textarea[data-comment]");
  if (!comment) return;
  const details = comment.closest(".rating-reason");
  details.dataset.to = "comment";
  details.open = true;
  comment.focus();
  event.preventDefault();
});

// "toggle" does not bubble, so it is caught on its way down.
document.addEventListener("toggle", (event) => {
  const reason = event.target;
  if (!reason.matches(".rating-reason") || !reason.open) return;
  const first = reason.dataset.to === "comment" ? "textarea[data-comment]" : "input[type=checkbox], button";
  delete reason.dataset.to;
  reason.querySelector(first)?.focus();
}, true);

document.addEventListener("htmx:afterSettle", (event) => {
  const row = event.target.closest?.("[data-walk]");
  if (!row) return;
  row.classList.toggle("is-done", Boolean(row.querySelector("[aria-pressed=true], .chip")));
  if (document.activeElement === document.body) row.focus({ preventScroll: true });
});

// A press while the one before is on its way is dropped, and made again on what comes back: the last one counts.
let again = "";

document.addEventListener("click", (event) => {
  const button = event.target.closest(".day form.htmx-request button[id]");
  if (button) again = button.id;
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.successful) again = "";
});

document.addEventListener("htmx:afterSettle", () => {
  const button = again && document.getElementById(again);
  again = "";
  if (button) button.click();
});
