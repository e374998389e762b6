// The parts of Chart.js that pages use. `make vendor` makes templates/static/vendor/chartjs/chart.js of them.
import {
  BarController, BarElement, CategoryScale, Chart, LineController, LineElement, LinearScale, PointElement, Tooltip,
} from "chart.js";

Chart.register(BarController, BarElement, CategoryScale, LineController, LineElement, LinearScale, PointElement, Tooltip);
export { Chart };
