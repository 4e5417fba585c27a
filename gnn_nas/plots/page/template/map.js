// The points: a Plotly scatter plot that pans and zooms at equal scales of both axes.

const GHOST_COLOUR = "#e3e4e8"; // of cells that the filters leave out
const MARGIN = 1.08; // of the whole map around its points
const ZOOM_STEP = 1.6;
const REST = 70; // milliseconds that the pointer rests before a cell counts as pointed at
const [GHOSTS, SHOWN] = [0, 1];

class CellPlot {
  constructor(frame, view, { opacity, onPoint, onClick, onMove }) {
    this.frame = frame;
    this.view = view;
    this.onMove = onMove;
    this.shown = [];
    this.size = Math.min(Math.max(400 / Math.sqrt(view.x.length), 3.5), 10);
    this.isWhole = true; // as long as nobody has moved the view
    this.measure();
    this.wholeView();
    // Until the plot is there, nothing may change it.
    this.ready = this.plot(opacity).then(() => this.listen(onPoint, onClick));
  }

  plot(opacity) {
    const trace = (extra) => ({
      // Without WebGL the same points are drawn as SVG: slower, but there.
      type: hasWebGL() ? "scattergl" : "scatter",
      mode: "markers",
      x: [],
      y: [],
      marker: { size: this.size, opacity, line: { width: 0 } },
      ...extra,
    });
    const axis = { visible: false, showgrid: false, zeroline: false };
    return Plotly.newPlot(
      this.frame,
      [
        trace({ hoverinfo: "skip", marker: { size: this.size * 0.8, color: GHOST_COLOUR } }),
        trace({ hoverinfo: "none" }),
      ],
      {
        width: this.width,
        height: this.height,
        margin: { l: 0, r: 0, t: 0, b: 0 },
        xaxis: { ...axis, range: this.xRange },
        yaxis: { ...axis, range: this.yRange },
        showlegend: false,
        hovermode: "closest",
        hoverdistance: 10,
        dragmode: "pan",
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
      },
      { scrollZoom: true, displayModeBar: false, doubleClick: false },
    );
  }

  listen(onPoint, onClick) {
    const pointOf = (event) => this.shown[event.points[0].pointNumber];
    let resting;
    this.frame.on("plotly_hover", (event) => {
      clearTimeout(resting);
      resting = setTimeout(onPoint, REST, pointOf(event));
    });
    this.frame.on("plotly_unhover", () => clearTimeout(resting));
    this.frame.on("plotly_click", (event) => onClick(pointOf(event)));
    for (const name of ["plotly_relayouting", "plotly_relayout"]) {
      this.frame.on(name, (event) => this.follow(event));
    }
    new ResizeObserver(() => this.resize()).observe(this.frame.parentElement);
  }

  // Show the points of which isShown is true, the others as ghosts.
  show(isShown, colouring) {
    const points = [...this.view.x.keys()];
    this.shown = points.filter((point) => isShown[point]);
    const ghosts = points.filter((point) => !isShown[point]);
    const taken = (values, chosen) => chosen.map((point) => values[point]);
    Plotly.restyle(
      this.frame,
      {
        x: [taken(this.view.x, ghosts), taken(this.view.x, this.shown)],
        y: [taken(this.view.y, ghosts), taken(this.view.y, this.shown)],
        "marker.color": [GHOST_COLOUR, this.shown.map((point) => colouring.colour(point))],
        "marker.symbol": ["circle", this.shown.map((point) => colouring.symbol(point))],
      },
      [GHOSTS, SHOWN],
    );
  }

  // Where a point is in the frame, in pixels.
  pixel(point) {
    const share = (value, [low, high]) => (value - low) / (high - low);
    return [
      share(this.view.x[point], this.xRange) * this.width,
      (1 - share(this.view.y[point], this.yRange)) * this.height,
    ];
  }

  zoom(steps) {
    const factor = ZOOM_STEP ** -steps;
    this.isWhole = false;
    this.look(middle(this.xRange), middle(this.yRange), this.unit() * factor);
  }

  fit() {
    this.isWhole = true;
    this.wholeView();
    this.moveTo();
  }

  wholeView() {
    const [x, y] = [bounds(this.view.x), bounds(this.view.y)];
    const needed = Math.max((x[1] - x[0]) / this.width, (y[1] - y[0]) / this.height);
    this.setRanges(middle(x), middle(y), MARGIN * (needed || 1));
  }

  look(x, y, unit) {
    this.setRanges(x, y, unit);
    this.moveTo();
  }

  // Length on the plane of a pixel.
  unit() {
    return (this.xRange[1] - this.xRange[0]) / this.width;
  }

  setRanges(x, y, unit) {
    this.xRange = [x - (unit * this.width) / 2, x + (unit * this.width) / 2];
    this.yRange = [y - (unit * this.height) / 2, y + (unit * this.height) / 2];
  }

  moveTo() {
    const { width, height } = this;
    const ranges = { "xaxis.range": [...this.xRange], "yaxis.range": [...this.yRange] };
    Plotly.relayout(this.frame, { width, height, ...ranges });
    this.onMove();
  }

  measure() {
    this.width = this.frame.parentElement.clientWidth;
    this.height = this.frame.parentElement.clientHeight;
  }

  resize() {
    const unit = this.unit();
    const { clientWidth, clientHeight } = this.frame.parentElement;
    // A page that is not displayed has no size, and keeps its view.
    if (clientWidth === 0 || clientHeight === 0) return;
    if (clientWidth === this.width && clientHeight === this.height) return;
    this.measure();
    if (this.isWhole) this.fit();
    else this.look(middle(this.xRange), middle(this.yRange), unit);
  }

  // Take over the ranges that panning and zooming by hand have given the plot.
  follow(event) {
    for (const axis of ["x", "y"]) {
      const ends = [0, 1].map((end) => event[`${axis}axis.range[${end}]`]);
      if (!ends.every(Number.isFinite)) continue;
      this[`${axis}Range`] = ends;
      this.isWhole = false;
    }
    this.onMove();
  }
}

function bounds(values) {
  return values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
}

const middle = ([low, high]) => (low + high) / 2;

function hasWebGL() {
  return document.createElement("canvas").getContext("webgl") !== null;
}
