// Draws every <figure data-chart> with Plotly, which is loaded only where a chart is.
// Strings "var(--token)" or "var(--token) / 0.3" anywhere in a figure become colours of the page's theme.

let loading = null;

function load({ plotlyJs, plotlyCss, plotlyStyleIds }) {
  // The bundle injects style elements unless elements with these ids exist: the policy forbids inline styles.
  for (const id of (plotlyStyleIds ?? "").split(" ").filter(Boolean)) {
    if (document.getElementById(id)) continue;
    const placeholder = document.createElement("meta");
    placeholder.id = id;
    document.head.append(placeholder);
  }
  const sheet = document.createElement("link");
  sheet.id = "plotly.js-style-global";
  sheet.className = "no-inline-styles";
  sheet.rel = "stylesheet";
  sheet.href = plotlyCss;
  const styled = new Promise((resolve, reject) => {
    sheet.onload = resolve;
    sheet.onerror = reject;
  });
  document.head.append(sheet);
  const script = document.createElement("script");
  script.src = plotlyJs;
  const run = new Promise((resolve, reject) => {
    script.onload = resolve;
    script.onerror = reject;
  });
  document.head.append(script);
  return Promise.all([styled, run]);
}

const probe = document.createElement("span");
probe.hidden = true;
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

function color(token, alpha = 1) {
  probe.style.color = `var(--${token})`;
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = getComputedStyle(probe).color;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
  return `rgba(${r}, ${g}, ${b}, ${alpha})`;
}

function themed(value) {
  if (typeof value === "string") {
    const match = /^var\(--([\w-]+)\)(?:\s*\/\s*([\d.]+))?$/.exec(value);
    return match ? color(match[1], match[2]) : value;
  }
  if (Array.isArray(value)) return value.map(themed);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, themed(inner)]));
  }
  return value;
}

function template() {
  const axis = {
    gridcolor: color("line"), linecolor: color("line"), zerolinecolor: color("line"), zerolinewidth: 1,
    tickcolor: color("line"), ticks: "", automargin: true,
    title: { font: { size: 12, color: color("muted") }, standoff: 10 },
    tickfont: { size: 11.5, color: color("muted") },
  };
  return {
    layout: {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      colorway: [1, 2, 3, 4, 5, 6, 7].map((position) => color(`c${position}`)),
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: color("ink") },
      margin: { t: 10, r: 12, b: 8, l: 8 }, // the axes add what their labels need
      showlegend: false,
      hoverlabel: {
        bgcolor: color("ink"), bordercolor: color("ink"), font: { color: color("page"), size: 12 }, align: "left",
      },
      legend: { orientation: "h", x: 0, y: 1.08, font: { color: color("muted") } },
      xaxis: { ...axis, showgrid: false },
      yaxis: axis,
      dragmode: false,
    },
  };
}

async function draw(figure) {
  const plot = figure.querySelector(".chart-plot");
  const source = document.getElementById(figure.dataset.chart);
  if (!plot || !source) return;
  try {
    loading ??= load(figure.dataset);
    await loading;
    const { data, layout = {}, config = {} } = JSON.parse(source.textContent);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    await globalThis.Plotly.react(
      plot,
      themed(data),
      { ...themed(layout), template: template(), autosize: true, ...(still && { transition: { duration: 0 } }) },
      { displayModeBar: false, responsive: true, showTips: false, ...config },
    );
    figure.dataset.state = "drawn";
  } catch (error) {
    figure.dataset.state = "failed";
    const table = figure.querySelector(".chart-data");
    if (table) table.open = true;
    console.error("chart", figure.dataset.chart, error);
  }
}

function drawAll(root) {
  const figures = root.querySelectorAll("figure[data-chart]");
  if (figures.length && !probe.isConnected) document.body.append(probe);
  figures.forEach(draw);
}

drawAll(document);
document.addEventListener("themechange", () => drawAll(document));
// Paper is light whatever the screen is; chart and page must agree before the browser takes its picture.
addEventListener("beforeprint", () => {
  document.documentElement.dataset.printing = "";
  drawAll(document);
});
addEventListener("afterprint", () => {
  delete document.documentElement.dataset.printing;
  drawAll(document);
});
document.addEventListener("htmx:afterSettle", (event) => {
  // An outerHTML swap settles on the new element itself, which may be a figure or stand inside one's parent.
  drawAll(event.target.parentElement ?? document);
});
