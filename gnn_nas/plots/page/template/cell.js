// A cell of the space: its graph and its operations.

// The edge x -> y, x < y, is bit x + y (y - 1) / 2 of the mask, whose bits are in two words.
function edgesOf(low, high) {
  const edges = [];
  for (let slot = 0, target = 1; target < 11; target += 1) {
    for (let source = 0; source < target; source += 1, slot += 1) {
      if (((slot < 32 ? low : high) >>> slot % 32) & 1) edges.push([source, target]);
    }
  }
  return edges;
}

class Graph {
  constructor(edges) {
    this.edges = edges;
    // The output is read by nothing, so its first edge is in the highest slots in use.
    this.vertices = edges[edges.length - 1][1] + 1;
    // A vertex is in the layer of its longest path from the input.
    this.layers = new Array(this.vertices).fill(0);
    for (const [source, target] of edges) {
      this.layers[target] = Math.max(this.layers[target], this.layers[source] + 1);
    }
  }
}

// What is drawn where operations are on the edges between nodes: a layer for each node, and one
// between for the operations.
class NodeGraph extends Graph {
  constructor(nodes) {
    const targets = [...Array(nodes).keys()];
    super(targets.flatMap((target) => targets.slice(0, target).map((source) => [source, target])));
    this.layers = this.layers.map((layer) => 2 * layer);
  }
}

class Cell {
  constructor(graph, ops) {
    this.graph = graph;
    this.ops = Array.from(ops).slice(0, graph.vertices - 2);
  }

  get edges() {
    return this.graph.edges;
  }

  get vertices() {
    return this.graph.vertices;
  }

  count(op) {
    return this.ops.filter((each) => each === op).length;
  }
}

// A long hash is known by its beginning.
const shortened = (hash) => (hash.length > 16 ? hash.slice(0, 6) : hash);
