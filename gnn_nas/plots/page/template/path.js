// A search as it went: what had been queried, and what was best, after every query.

class Path {
  constructor({ name, points, rewards, reports }) {
    Object.assign(this, { name, points: [...points], rewards, reports });
    // Of equal rewards the first one stays the best; failed evaluations are no number.
    this.best = [];
    let best = null;
    rewards.forEach((reward, i) => {
      if (Number.isFinite(reward) && (best === null || reward > rewards[best])) best = i;
      this.best.push(best);
    });
  }

  get length() {
    return this.points.length;
  }

  // Position of the best query among the first ones, null before any has succeeded.
  bestAfter(queries) {
    return queries === 0 ? null : this.best[queries - 1];
  }

  // The cells that were best one after the other.
  improvements(queries) {
    const positions = [...new Set(this.best.slice(0, queries))];
    return positions.filter((position) => position !== null).map((i) => this.points[i]);
  }

  // The figure by which a query is judged: its report, or the reward where there is none.
  figure(position) {
    const report = this.reports[position];
    return Number.isFinite(report) ? report : this.rewards[position];
  }
}
