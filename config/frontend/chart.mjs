// The parts of Chart.js that pages use. `make vendor` makes templates/static/vendor/chartjs/chart.js of them, without
// animations. The line across bars and what is told about a bar are in templates/static/leadline/charts.js: Chart.js's
// own are 10 KB, compressed.
import { BarController, BarElement, CategoryScale, Chart, LinearScale } from "chart.js";

Chart.register(BarController, BarElement, CategoryScale, LinearScale);
export { Chart };
