// The theme switch: buttons with data-theme-choice "system", "light" or "dark".
const root = document.documentElement;
const buttons = document.querySelectorAll("[data-theme-choice]");

function show() {
  const current = root.dataset.theme ?? "system";
  for (const button of buttons) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === current));
  }
}

function choose(theme) {
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // Without storage the choice lasts for this page.
  }
  show();
  document.dispatchEvent(new CustomEvent("themechange"));
}

for (const button of buttons) {
  button.addEventListener("click", () => choose(button.dataset.themeChoice));
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  document.dispatchEvent(new CustomEvent("themechange"));
});
show();
