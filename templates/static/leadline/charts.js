// Turns the bars that the server drew (`{% chart %}`) into charts that tell their numbers when pointed at. Chart.js is
// loaded after the page: without it the server's picture stays, and so it does in print.
"use strict";

(() => {
  const places = [...document.querySelectorAll("[data-chart]")];
  const drawn = [];

  const colour = (place, selector, property) => getComputedStyle(place.querySelector(selector))[property];

  function datasets(place, data) {
    const bars = data.series.map(({ name, values }, number) => ({
      label: name, data: values, stack: "all", maxBarThickness: 48, categoryPercentage: 0.8, barPercentage: 1,
      backgroundColor: colour(place, `.swatch.series-${Math.min(number, 5) + 1}`, "backgroundColor"),
    }));
    if (!data.line.values.length) return bars;
    const stroke = colour(place, ".swatch-line", "borderTopColor");
    return [...bars, {
      type: "line", order: -1, label: data.line.name, data: data.line.values, stack: "before", borderColor: stroke, backgroundColor: stroke,
      borderDash: [5, 4], borderWidth: 2, pointRadius: 0, pointHitRadius: 8,
    }];
  }

  function draw(Chart, place) {
    const data = JSON.parse(place.dataset.chart);
    const ink = getComputedStyle(place).color;
    const grid = colour(place, ".bars svg", "borderBottomColor");
    let box = place.querySelector(".chart-box");
    if (!box) {
      box = document.createElement("div");
      box.className = "chart-box";
      box.append(document.createElement("canvas"));
      place.querySelector(".bars-plot").before(box);
      place.classList.add("is-drawn");
    }
    const shownAt = (event, found) => { event.native.target.classList.toggle("leads", Boolean(found.length && data.urls[found[0].index])); };
    drawn.push(new Chart(box.firstChild, {
      type: "bar",
      data: { labels: data.labels, datasets: datasets(place, data) },
      options: {
        animation: false, maintainAspectRatio: false, interaction: { mode: "index", intersect: false },
        font: { family: getComputedStyle(place).fontFamily },
        onClick: (_, found) => { const url = found.length && data.urls[found[0].index]; if (url) location.assign(url); },
        onHover: shownAt,
        plugins: {
          tooltip: {
            filter: (item) => item.raw > 0, padding: 10, boxPadding: 4,
            callbacks: {
              footer: (items) => {
                const whole = items.filter((item) => item.dataset.type !== "line").reduce((sum, item) => sum + item.raw, 0);
                return data.series.length > 1 ? `${data.total}: ${whole.toLocaleString(document.documentElement.lang)}` : "";
              },
            },
          },
        },
        scales: {
          x: { stacked: true, grid: { display: false }, border: { color: grid }, ticks: { color: ink, maxRotation: 0, autoSkipPadding: 16 } },
          y: { stacked: true, beginAtZero: true, grid: { color: grid }, border: { display: false }, ticks: { color: ink, precision: 0, maxTicksLimit: 6 } },
        },
      },
    }));
  }

  async function drawAll() {
    const { Chart } = await import(places[0].dataset.module);
    const again = () => {
      drawn.splice(0).forEach((chart) => chart.destroy());
      places.forEach((place) => draw(Chart, place));
    };
    again();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  if (places.length) addEventListener("load", () => setTimeout(drawAll));
  for (const button of document.querySelectorAll("[data-prints]")) button.addEventListener("click", () => print());
})();
