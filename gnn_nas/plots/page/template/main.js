// The page: what is shown, and what happens when.

const data = readData(byId("data"));
const { cells } = data;
const state = { current: null, pins: [null, null], shown: cells.map(() => true) };

byId("title").textContent = data.title;
byId("subtitle").textContent = data.subtitle;

// First, since the map takes the room that the filters leave.
new Filters(data, {
  panel: byId("filters"),
  hash: byId("hash"),
  toggle: byId("filter-toggle"),
  onChange: filter,
});

const marks = new Marks(byId("marks"), data.views[0]);
const plot = new CellPlot(byId("map"), data.views[0], {
  opacity: data.paths.length ? 0.45 : 0.9, // paths stand out
  onPoint: show,
  onClick: pin,
  onMove: () => drawMarks(),
});
const details = new Details(
  data,
  data.views[0],
  { current: byId("current"), pins: byId("pins"), distance: byId("distance") },
  { show, pin },
);

byId("views").hidden = data.views.length === 1;
byId("view").append(...data.views.map((view, i) => new Option(view.name, i)));
byId("view").onchange = () => look(data.views[Number(byId("view").value)]);

let colouring;
byId("colour").append(...data.colours.map((kind) => new Option(kind)));
byId("colour").onchange = () => recolour(byId("colour").value);
byId("colour").value = data.colour;
byId("zoom-in").onclick = () => plot.zoom(1);
byId("zoom-out").onclick = () => plot.zoom(-1);
byId("zoom-all").onclick = () => plot.fit();

let playback;
plot.ready.then(() => {
  recolour(data.colour);
  show(bestPoint());
  refreshDetails();
  playback = new Playback(
    data.paths,
    {
      bar: byId("playback"),
      play: byId("play"),
      select: byId("path"),
      slider: byId("query"),
      progress: byId("progress"),
      best: byId("best"),
    },
    showQuery,
  );
  listenToWidth();
  // Until now nobody could press anything, since it would not have been heard.
  document.querySelector("main").inert = false;
  document.body.dataset.ready = "";
});

// For the console.
window.cellMap = {
  data,
  cells,
  state,
  plot,
  Cell,
  Graph,
  editDistance,
  get playback() {
    return playback;
  },
};

function show(point) {
  state.current = point;
  details.showCurrent(point, state.pins);
  drawMarks();
}

// Pin a cell, in place of the one pinned longer where both places are taken; again, unpin it.
function pin(point) {
  const place = state.pins.indexOf(point);
  const free = state.pins.indexOf(null);
  if (place >= 0) state.pins[place] = null;
  else if (free >= 0) state.pins[free] = point;
  else state.pins = [state.pins[1], point];
  if (place < 0) state.current = point;
  refreshDetails();
  drawMarks();
}

// Cards are drawn for the page's width; on a phone scrolling changes the height alone.
function listenToWidth() {
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    refreshDetails();
  });
}

function refreshDetails() {
  details.showCurrent(state.current, state.pins);
  details.showPins(state.pins);
}

function filter(shown) {
  state.shown = shown;
  const count = shown.filter(Boolean).length;
  const [some, all] = [count, cells.length].map((n) => n.toLocaleString("en"));
  byId("count").textContent = count === cells.length ? `${all} cells` : `${some} of ${all} cells`;
  plot.show(shown, colouring);
  if (count === 1) show(shown.indexOf(true));
}

function recolour(kind) {
  marks.colouring = colouring = new Colouring(data, kind);
  byId("legend").replaceChildren(...colouring.legend(data.classNames));
  byId("legend").title = colouring.about;
  filter(state.shown);
  drawMarks();
}

// Other coordinates and neighbours of the same cells.
function look(view) {
  for (const part of [plot, marks, details]) part.view = view;
  plot.show(state.shown, colouring);
  plot.fit();
  refreshDetails();
}

function showQuery(path, query) {
  marks.path = {
    points: path.points.slice(0, query),
    bests: path.improvements(query),
  };
  if (query > 0) show(path.points[query - 1]);
  drawMarks();
}

function drawMarks() {
  marks.current = state.current;
  marks.pins = state.pins;
  marks.draw((point) => plot.pixel(point));
}

function bestPoint() {
  if (!data.accuracies) return 0;
  return data.accuracies.reduce((best, each, i, all) => (each > (all[best] || 0) ? i : best), 0);
}
