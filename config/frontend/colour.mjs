// Stands for @kurkle/color, with which Chart.js darkens what is pointed at. `leadline/charts.js` names those colours
// itself, so that a colour stays as it was given.
export class Color {
  constructor(value) { this.value = value; }
  saturate() { return this; }
  darken() { return this; }
  hexString() { return this.value; }
}
