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
    cells: typed(data.cells, Uint32Array),
    hashes: typed(data.hashes, Uint8Array),
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
    layouts: readLayouts(data.layouts),
    paths: data.paths.map((path) => ({
      name: path.name,
      points: typed(path.points, Uint32Array),
      rewards: typed(path.rewards, Float32Array),
      reports: typed(path.reports, Float32Array),
    })),
  };
}

// From an edge bitmask to the half steps by which what is drawn lies off the middle.
function readLayouts({ masks, heights }) {
  const all = typed(heights, Int8Array);
  const layouts = new Map();
  let start = 0;
  for (const mask of typed(masks, Uint32Array)) {
    const { layers, edges } = new Graph(mask);
    const passing = edges.map(([source, target]) => layers[target] - layers[source] - 1);
    const count = layers.length + passing.reduce((sum, each) => sum + each, 0);
    layouts.set(mask, all.subarray(start, start + count));
    start += count;
  }
  return layouts;
}
