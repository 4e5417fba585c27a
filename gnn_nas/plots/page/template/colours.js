// What the points are coloured by. Figures run from light to dark, so the best stand out on white;
// classes take Okabe and Ito's colours, told apart by colour-blind readers too.

const UNKNOWN_COLOUR = "#bdbdbd";
// Viridis, from its light end.
const SCALE = ["#fde725", "#a0da39", "#4ac16d", "#1fa187", "#277f8e", "#365c8d", "#46327e", "#440154"];
const CLASS_COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#444444"];
// The same colour again comes with another symbol.
const CLASS_SYMBOLS = ["circle", "square", "diamond"];
// Most accuracies lie close together near the top: the lowest ones share a colour.
const LOWEST_SHARE = 0.05;

const channels = SCALE.map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));

function scaleColour(share) {
  const at = Math.min(Math.max(share, 0), 1) * (SCALE.length - 1);
  const low = Math.min(Math.floor(at), SCALE.length - 2);
  const mixed = channels[low].map((c, i) => Math.round(c + (at - low) * (channels[low + 1][i] - c)));
  return `rgb(${mixed.join(",")})`;
}

class Colouring {
  constructor(data, kind) {
    this.kind = kind;
    // Their marks in the legend: of the lowest values, of the highest, and the unit.
    [this.below, this.above, this.unit] = ["", "", ""];
    this.about = "";
    if (kind === "class") {
      this.values = data.classes;
    } else if (kind === "accuracy") {
      this.values = data.accuracies;
      const known = this.values.filter(Number.isFinite).sort();
      this.low = Math.floor(10 * known[Math.floor(LOWEST_SHARE * known.length)]) / 10;
      this.high = Math.ceil(10 * known[known.length - 1]) / 10;
      [this.below, this.unit] = ["≤ ", " %"];
    } else {
      Object.assign(this, data.figures[kind]);
      if (this.isTold) [this.below, this.above, this.unit] = ["≤ ", "≥ ", " s.d."];
    }
  }

  colour(point) {
    const value = this.values[point];
    if (!Number.isFinite(value)) return UNKNOWN_COLOUR;
    if (this.kind === "class") return CLASS_COLOURS[value % CLASS_COLOURS.length];
    return scaleColour((value - this.low) / (this.high - this.low || 1));
  }

  symbol(point) {
    if (this.kind !== "class") return CLASS_SYMBOLS[0];
    const turn = Math.floor(this.values[point] / CLASS_COLOURS.length);
    return CLASS_SYMBOLS[turn % CLASS_SYMBOLS.length];
  }

  legend(classNames) {
    if (this.kind === "class") {
      return [element("span", {}, `${classNames.length} classes`)];
    }
    const written = (value) => (this.unit ? value.toFixed(1).replace("-", "−") : String(value));
    return [
      element("span", {}, this.below + written(this.low)),
      element("span", {
        className: "scale",
        style: `background: linear-gradient(to right, ${SCALE.join(",")})`,
      }),
      element("span", {}, this.above + written(this.high) + this.unit),
    ];
  }
}
