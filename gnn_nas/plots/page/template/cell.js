// A cell of the space: its graph and its operations.

const SLOTS = 21;
const OPS = 3;

// The edge x -> y, x < y, is bit x + y (y - 1) / 2 of the mask.
const SLOT_ENDS = [];
for (let target = 1; target < 7; target += 1) {
  for (let source = 0; source < target; source += 1) SLOT_ENDS.push([source, target]);
}

class Graph {
  constructor(mask) {
    this.mask = mask;
    this.edges = SLOT_ENDS.filter((_, slot) => (mask >> slot) & 1);
    // The output is read by nothing, so its first edge is in the highest slots in use.
    this.vertices = this.edges[this.edges.length - 1][1] + 1;
    // A vertex is in the layer of its longest path from the input.
    this.layers = new Array(this.vertices).fill(0);
    for (const [source, target] of this.edges) {
      this.layers[target] = Math.max(this.layers[target], this.layers[source] + 1);
    }
  }
}

class Cell extends Graph {
  // Edge bitmask, above it the ops as base-3 digits, the first one lowest.
  constructor(packed) {
    super(packed & ((1 << SLOTS) - 1));
    this.ops = [];
    for (let code = packed >>> SLOTS; this.ops.length < this.vertices - 2; ) {
      this.ops.push(code % OPS);
      code = Math.floor(code / OPS);
    }
  }

  count(op) {
    return this.ops.filter((each) => each === op).length;
  }
}

function hashOf(data, point) {
  return Array.from(data.hashes.subarray(16 * point, 16 * point + 16), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
