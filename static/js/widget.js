// PilotDash's rating widget for pages of internal tools; see docs/widget.md. A classic script without dependencies:
//   <script src="https://pilotdash.example/widget.js" data-token="…" async></script>
// or PilotDash.rate({ token, element, theme, onRated }) after it was loaded without a token.
(() => {
  const script = document.currentScript;
  const home = new URL(script.src).origin;
  const TALLEST = 2000;

  // What a frame of ours says: { type, call, height } or { type, call, rating }. Anything else is somebody else's.
  function isOurs(data) {
    if (typeof data !== "object" || data === null || typeof data.call !== "string") return false;
    if (data.type === "pilotdash:resized") return Number.isInteger(data.height) && data.height > 0 && data.height <= TALLEST;
    return data.type === "pilotdash:rated" && (data.rating === null || /^(up|down|[1-5])$/.test(data.rating));
  }

  function rate({ token, element, theme, onRated, title = "Rate this answer in PilotDash" }) {
    if (typeof token !== "string" || !/^[\w.=-]+$/.test(token)) throw new TypeError("PilotDash.rate needs a token");
    const frame = document.createElement("iframe");
    const scheme = theme === "light" || theme === "dark" ? `?theme=${theme}` : "";
    frame.title = title;
    frame.referrerPolicy = "no-referrer";
    // Without a height and unseen until it answers: where this page's origin is refused, nothing shows.
    Object.assign(frame.style, { border: "0", width: "100%", height: "0", visibility: "hidden", colorScheme: "normal" });
    addEventListener("message", (event) => {
      if (event.source !== frame.contentWindow || event.origin !== home || !isOurs(event.data)) return;
      if (event.data.type === "pilotdash:resized") {
        Object.assign(frame.style, { height: `${event.data.height}px`, visibility: "visible" });
        return;
      }
      const detail = { call: event.data.call, rating: event.data.rating };
      if (typeof onRated === "function") onRated(detail);
      frame.dispatchEvent(new CustomEvent("pilotdash:rated", { bubbles: true, detail }));
    });
    frame.addEventListener("load", () => frame.contentWindow.postMessage({ type: "pilotdash:hello" }, home));
    frame.src = `${home}/widget/${token}/${scheme}`;
    if (element) element.append(frame);
    else script.after(frame);
    return frame;
  }

  window.PilotDash = Object.freeze({ rate });
  if (script.dataset.token) rate({ token: script.dataset.token, theme: script.dataset.theme });
})();
