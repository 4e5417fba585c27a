// Which cells are shown: by hash, accuracy, size and operations.

const SLIDER_STEPS = 1000;

class Filters {
  constructor(data, { panel, hash, toggle, onChange }) {
    this.data = data;
    this.hash = hash;
    this.onChange = onChange;
    this.hashes = data.hashes.map((hash) => hash.toLowerCase());
    this.chosen = [
      [["Vertices"], "vertices", data.cells.map((cell) => cell.vertices)],
      [["Edges"], "edges", data.cells.map((cell) => cell.edges.length)],
      ...data.styles.ops.map((look, op) => [
        [swatch(look), look.name],
        `op-${op}`,
        data.cells.map((cell) => cell.count(op)),
      ]),
    ]
      .map(([label, name, values]) => new Choice(label, name, values, () => this.apply()))
      .filter((choice) => choice.buttons.length > 1); // else there is nothing to choose
    this.accuracy = data.accuracies && new Range(data.accuracies, () => this.apply());

    const clear = element("button", { type: "button", id: "clear", onclick: () => this.clear() });
    clear.textContent = "Clear filters";
    panel.append(
      ...(this.accuracy ? [this.accuracy.group] : []),
      ...this.chosen.map((choice) => choice.group),
      clear,
    );
    hash.addEventListener("input", () => this.apply());
    // On a small screen the map comes first.
    const setOpen = (open) => {
      panel.hidden = !open;
      toggle.setAttribute("aria-expanded", String(open));
    };
    toggle.onclick = () => setOpen(panel.hidden);
    setOpen(window.matchMedia("(min-width: 60rem)").matches);
  }

  shown() {
    const prefix = this.hash.value.trim().toLowerCase();
    return this.hashes.map(
      (hash, point) =>
        hash.startsWith(prefix) &&
        (!this.accuracy || this.accuracy.admits(point)) &&
        this.chosen.every((choice) => choice.admits(point)),
    );
  }

  // Sliders report many changes a second: one redrawing a frame is enough.
  apply() {
    cancelAnimationFrame(this.pending);
    this.pending = requestAnimationFrame(() => this.onChange(this.shown()));
  }

  clear() {
    this.hash.value = "";
    this.accuracy?.clear();
    for (const choice of this.chosen) choice.clear();
    this.apply();
  }
}

// Values to choose from; as long as none is chosen, all are admitted.
class Choice {
  constructor(label, name, values, onChange) {
    this.values = values;
    this.chosen = new Set();
    const occurring = [...new Set(values)].sort((a, b) => a - b);
    this.buttons = occurring.map((value) => {
      const chip = element("button", { type: "button", className: "chip" }, String(value));
      chip.setAttribute("aria-pressed", "false");
      chip.onclick = () => {
        if (!this.chosen.delete(value)) this.chosen.add(value);
        chip.setAttribute("aria-pressed", String(this.chosen.has(value)));
        onChange();
      };
      return chip;
    });
    const legend = element("legend", {}, ...label);
    this.group = element("fieldset", { id: `filter-${name}` }, legend, ...this.buttons);
  }

  admits(point) {
    return this.chosen.size === 0 || this.chosen.has(this.values[point]);
  }

  clear() {
    this.chosen.clear();
    for (const chip of this.buttons) chip.setAttribute("aria-pressed", "false");
  }
}

// A range of accuracies. The sliders go by quantiles: half of all accuracies lie within a point.
class Range {
  constructor(values, onChange) {
    this.values = values;
    this.sorted = values.filter(Number.isFinite).sort();
    const hundredth = (round) => (value) => (round(value * 100 - round(0)) / 100).toFixed(2);
    this.ends = [
      { label: "Lowest accuracy", round: hundredth(Math.floor), start: 0 },
      { label: "Highest accuracy", round: hundredth(Math.ceil), start: SLIDER_STEPS },
    ];
    for (const end of this.ends) {
      end.field = element("input", { type: "number", step: "0.01", ariaLabel: end.label });
      end.slider = element("input", { type: "range", min: 0, max: SLIDER_STEPS });
      end.slider.setAttribute("aria-label", `${end.label}, by share of the cells`);
      end.slider.oninput = () => {
        this.readSlider(end);
        onChange();
      };
      end.field.oninput = () => {
        this.readField(end);
        onChange();
      };
    }
    this.clear();
    const [low, high] = this.ends;
    this.group = element(
      "fieldset",
      { id: "filter-accuracy" },
      element("legend", {}, "Accuracy, %"),
      element("div", { className: "fields" }, low.field, "to", high.field),
      element("div", { className: "sliders" }, low.slider, high.slider),
    );
  }

  admits(point) {
    const value = this.values[point];
    const [low, high] = this.ends.map((end) => end.limit);
    return (low === null || value >= low) && (high === null || value <= high);
  }

  readSlider(end) {
    const step = Number(end.slider.value);
    const at = Math.round((step / SLIDER_STEPS) * (this.sorted.length - 1));
    end.field.value = end.round(this.sorted[at]);
    // At their ends the sliders leave nothing out, not even cells of unknown accuracy.
    end.limit = step === end.start ? null : Number(end.field.value);
  }

  // What is written holds exactly, also where the slider has no step for it.
  readField(end) {
    end.limit = end.field.value === "" ? null : Number(end.field.value);
    end.slider.value = end.limit === null ? end.start : this.stepOf(end.limit);
  }

  stepOf(value) {
    const below = this.sorted.findIndex((each) => each >= value);
    const share = (below < 0 ? this.sorted.length : below) / (this.sorted.length - 1);
    return Math.round(Math.min(share, 1) * SLIDER_STEPS);
  }

  clear() {
    for (const end of this.ends) {
      end.slider.value = end.start;
      this.readSlider(end);
    }
  }
}
