// The map's data as the file carries it: JSON with typed arrays in base64.

function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function typed(text, Kind) {
  return text === null ? null : new Kind(bytesOf(text).buffer);
}

function readData(element) {
  const data = JSON.parse(element.textContent);
  return {
    ...data,
    cells: readCells(data),
    distance: data.space.isWired
      ? wiredDistance
      : (first, second) => editDistance(first, second, data.space.hasInEdges),
    views: data.views.map((view) => ({
      ...view,
      x: typed(view.x, Float32Array),
      y: typed(view.y, Float32Array),
      neighbours: typed(view.neighbours, Uint32Array),
      neighbourDistances: typed(view.neighbourDistances, Float32Array),
    })),
    accuracies: typed(data.accuracies, Float32Array),
    ranks: typed(data.ranks, Uint32Array),
    classes: typed(data.classes, Uint32Array),
    figures: Object.fromEntries(
      Object.entries(data.figures).map(([name, figure]) => [name, readFigure(figure)]),
    ),
    paths: data.paths.map((path) => ({
      name: path.name,
      points: typed(path.points, Uint32Array),
      rewards: typed(path.rewards, Float32Array),
      reports: typed(path.reports, Float32Array),
    })),
  };
}

// Values are steps of a scale, on whose ends are also those that lie beyond.
function readFigure({ steps, ...scale }) {
  const { low, high, stepCount } = scale;
  const valueOf = (step) => low + (step / stepCount) * (high - low);
  return { ...scale, values: Float64Array.from(typed(steps, Uint8Array), valueOf) };
}

function readCells(data) {
  const graphs = readGraphs(data.graphs, data.styles.nodes);
  const ops = typed(data.ops, Uint8Array);
  const width = data.space.vertices - 2;
  return Array.from(
    typed(data.graph, Uint32Array),
    (graph, i) => new Cell(graphs[graph], ops.subarray(i * width, (i + 1) * width)),
  );
}

// Each with what is drawn of it, and the half steps by which that lies off the middle.
function readGraphs({ low, high, heights }, nodes) {
  const highs = typed(high, Uint32Array);
  const all = typed(heights, Int8Array);
  let start = 0;
  return Array.from(typed(low, Uint32Array), (word, i) => {
    const graph = new Graph(edgesOf(word, highs[i]));
    graph.drawn = nodes ? new NodeGraph(nodes.length) : graph;
    const { layers, edges } = graph.drawn;
    const passing = edges.map(([source, target]) => layers[target] - layers[source] - 1);
    const count = layers.length + passing.reduce((sum, each) => sum + each, 0);
    graph.heights = all.subarray(start, start + count);
    start += count;
    return graph;
  });
}
