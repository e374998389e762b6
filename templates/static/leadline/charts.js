// Turns the bars that the server drew (`{% chart %}`) into charts that tell their numbers when pointed at. Chart.js is
// loaded after the page: without it the server's picture stays, and so it does in print.
"use strict";

(() => {
  const places = [...document.querySelectorAll("[data-chart]")];
  const drawn = [];

  const colour = (place, selector, property) => getComputedStyle(place.querySelector(selector))[property];

  const written = (number) => number.toLocaleString(document.documentElement.lang);
  const seriesOf = (number) => `series-${Math.min(number, 5) + 1}`;

  function datasets(place, data) {
    return data.series.map(({ name, values }, number) => {
      const fill = colour(place, `.swatch.${seriesOf(number)}`, "backgroundColor");
      return {
        label: name, data: values, maxBarThickness: 48, categoryPercentage: 0.8, barPercentage: 1,
        backgroundColor: fill, hoverBackgroundColor: fill.replace(/\d+/g, (part) => Math.round(part * 0.85)),
      };
    });
  }

  // Draws the dashed line across the bars.
  const lineAcross = (values, stroke) => ({
    id: "line",
    afterDatasetsDraw({ ctx, scales: { x, y } }) {
      ctx.save();
      Object.assign(ctx, { strokeStyle: stroke, lineWidth: 2, lineJoin: "round" });
      ctx.setLineDash([5, 4]);
      ctx.beginPath();
      values.forEach((value, number) => ctx.lineTo(x.getPixelForValue(number), y.getPixelForValue(value)));
      ctx.stroke();
      ctx.restore();
    },
  });

  function paragraph(text, swatch) {
    const made = document.createElement("p");
    if (swatch) made.appendChild(document.createElement("span")).className = `swatch ${swatch}`;
    made.append(text);
    return made;
  }

  // Writes the numbers of a bar beside it: to its right, or to its left where that is too narrow.
  function tell(tip, data, bars) {
    const number = bars[0].index;
    const parts = data.series.map(({ name, values }, at) => [name, values[number], seriesOf(at)]);
    const whole = parts.reduce((sum, [, value]) => sum + value, 0);
    if (data.line.values.length) parts.unshift([data.line.name, data.line.values[number], "swatch-line"]);
    const shown = parts.filter(([, value]) => value > 0);
    tip.hidden = !shown.length;
    tip.replaceChildren(
      paragraph(data.labels[number]),
      ...shown.map(([name, value, swatch]) => paragraph(`${name}: ${written(value)}`, swatch)),
      ...(data.series.length > 1 ? [paragraph(`${data.total}: ${written(whole)}`)] : []),
    );
    const { x, width } = bars[0].element, { clientWidth, clientHeight } = tip.parentElement;
    const middle = bars.reduce((sum, { element }) => sum + element.y, 0) / bars.length;
    const right = x + width / 2 + 6, left = x - width / 2 - 6 - tip.offsetWidth;
    tip.style.left = `${Math.max(right + tip.offsetWidth <= clientWidth ? right : left, 0)}px`;
    tip.style.top = `${Math.max(Math.min(middle, clientHeight - tip.offsetHeight / 2) - tip.offsetHeight / 2, 0)}px`;
  }

  function boxOf(place) {
    const box = document.createElement("div"), tip = document.createElement("div");
    box.className = "chart-box";
    tip.className = "chart-tip";
    tip.hidden = true;
    box.append(document.createElement("canvas"), tip);
    box.addEventListener("pointerleave", () => { tip.hidden = true; });
    place.querySelector(".bars-plot").before(box);
    place.classList.add("is-drawn");
    return box;
  }

  function draw(Chart, place) {
    const data = JSON.parse(place.dataset.chart);
    const ink = getComputedStyle(place).color;
    const grid = colour(place, ".bars svg", "borderBottomColor");
    const [canvas, tip] = (place.querySelector(".chart-box") || boxOf(place)).children;
    const line = data.line.values;
    const pointedAt = (_, bars) => {
      canvas.classList.toggle("leads", Boolean(bars.length && data.urls[bars[0].index]));
      if (bars.length) tell(tip, data, bars);
      else tip.hidden = true;
    };
    drawn.push(new Chart(canvas, {
      type: "bar",
      data: { labels: data.labels, datasets: datasets(place, data) },
      plugins: line.length ? [lineAcross(line, colour(place, ".swatch-line", "borderTopColor"))] : [],
      options: {
        animation: false, maintainAspectRatio: false, interaction: { mode: "index", intersect: false },
        font: { family: getComputedStyle(place).fontFamily },
        onClick: (_, bars) => { const url = bars.length && data.urls[bars[0].index]; if (url) location.assign(url); },
        onHover: pointedAt,
        scales: {
          x: { stacked: true, grid: { display: false }, border: { color: grid }, ticks: { color: ink, maxRotation: 0, autoSkipPadding: 16 } },
          y: {
            stacked: true, beginAtZero: true, suggestedMax: Math.max(0, ...line),
            grid: { color: grid }, border: { display: false }, ticks: { color: ink, precision: 0, maxTicksLimit: 6 },
          },
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
