// Inside the widget's frame. It talks to nobody until a page of an allowed origin has said hello, and then to that
// origin alone. Messages: hello in; resized and rated out.

const origins = document.body.dataset.origins.split(" ").filter(Boolean);
const rating = () => document.querySelector("[data-rating]")?.dataset.rating ?? "";
let page = null;
let told = rating();

function tell(message) {
  if (page) parent.postMessage({ ...message, call: document.body.dataset.call }, page);
}

function tellSize() {
  tell({ type: "pilotdash:resized", height: Math.ceil(document.body.getBoundingClientRect().height) });
}

addEventListener("message", (event) => {
  if (event.source !== parent || parent === window || !origins.includes(event.origin)) return;
  if (typeof event.data !== "object" || event.data?.type !== "pilotdash:hello") return;
  page = event.origin;
  tellSize();
});

new ResizeObserver(tellSize).observe(document.body);

document.addEventListener("htmx:afterSettle", () => {
  if (rating() === told) return;
  told = rating();
  tell({ type: "pilotdash:rated", rating: told || null });
});
