// Ctrl+Enter (or Cmd+Enter) sends a prompt: Enter alone is a line of it.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  if (!event.target.matches("textarea[data-ctrl-enter-sends]")) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});
