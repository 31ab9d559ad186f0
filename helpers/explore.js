// Explanations to touch: one state, several views of it, by mouse, finger or keyboard.
//
// helpers/explore.py puts this script into an output, behind a picture that stands where
// scripts do not run. It needs nothing else, asks nothing of a network, and stores nothing.
// tests/test_explore.py compares its numbers with PyTorch's.
(() => {
  const box = document.currentScript.parentElement;
  if (box.explorer) return; // JupyterLab runs it again when a cell scrolls back into view
  const data = JSON.parse(box.dataset.explore);
  const FRAME = 60; // milliseconds for a step of a run
  const STEPS = data.kind === 'momentum' ? 200 : 40; // of a run
  const EXPLODED = 1e12; // a loss at which a run ends

  // Numbers and text

  const sum = (list) => list.reduce((a, b) => a + b, 0);
  const minus = (text) => text.replace(/-/g, '−');
  const plain = (value, digits) => {
    if (Math.abs(value) >= 1e7) return minus(value.toExponential(1));
    const of = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    return minus(value.toLocaleString('en', of).replace(/^-(?=[0.,]*$)/, ''));
  };
  const short = (value) => plain(value, Math.abs(value) < 10 ? 2 : Math.abs(value) < 1000 ? 1 : 0);
  const precise = (value) => plain(value, Math.abs(value) < 1000 ? 2 : 1);
  const small = (value) =>
    value < 0.01 ? value.toExponential(2).replace(/\.?0+e/, 'e') : String(+value.toPrecision(3));
  const escape = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt()};`);
  const tag = (name, attributes, inside = '') => {
    const all = Object.entries(attributes).map(([key, value]) => ` ${key}="${value}"`);
    return `<${name}${all.join('')}>${inside}</${name}>`;
  };
  function element(name, attributes = {}, parent = null, text = '') {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(text);
    if (parent) parent.append(made);
    return made;
  }
  function ticks(low, high, most = 5) {
    const rough = (high - low) / most;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((nice) => nice * power >= rough);
    const found = [];
    for (let k = Math.ceil(low / step); k * step <= high * (1 + 1e-9); k++) found.push(k * step);
    return found;
  }

  const digits = ([first, second]) => (second - first < 0.1 ? 2 : second - first < 1 ? 1 : 0);

  // The page: two columns of views, controls, and a line that says what they show

  const STYLE = `
.ex{--ink:#222;--paper:#fff;--soft:#ddd;--grey:#666;--blue:#0072b2;--red:#d55e00;--green:#00795a;
font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);border:1px solid var(--soft);
border-radius:8px;padding:12px;max-width:56rem;box-sizing:border-box;text-align:left}
.ex.dark{--ink:#eee;--paper:#16181c;--soft:#444;--grey:#aaa;--blue:#56b4e9;--red:#f08a3c;--green:#2fbf95}
.ex *{box-sizing:border-box}
.ex .columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,18rem),1fr));gap:8px 20px}
.ex .columns>div{min-width:0}
.ex .view{margin:0 0 6px;border-radius:4px;touch-action:manipulation}
.ex .view:focus-visible,.ex button:focus-visible,.ex input:focus-visible{outline:3px solid var(--blue);outline-offset:2px}
.ex .name{font-weight:600;font-size:14px}.ex .read{font-size:13px;min-height:1.45em;color:var(--ink)}
.ex svg{display:block;overflow:visible}.ex svg text{fill:var(--ink);font:12px system-ui,sans-serif}
.ex label{display:flex;flex-wrap:wrap;gap:0 10px;align-items:center;min-height:28px;margin:2px 0}
.ex label span{font-variant-numeric:tabular-nums}
.ex input[type=range]{flex:1 1 100%;width:100%;height:28px;margin:0;accent-color:var(--blue)}
.ex input[type=checkbox]{width:24px;height:24px;margin:0;accent-color:var(--blue)}
.ex .buttons{display:flex;flex-wrap:wrap;gap:8px;margin:6px 0}
.ex button{font:inherit;color:var(--ink);background:none;border:1px solid var(--grey);border-radius:6px;
min-height:36px;min-width:64px;padding:4px 14px;cursor:pointer}
.ex button.first{background:var(--blue);border-color:var(--blue);color:var(--paper)}
.ex p{margin:6px 0 0;font-variant-numeric:tabular-nums}.ex .say{min-height:4.4em}
.ex .task{font-weight:600}`;
  const page = element('div', { class: 'ex', role: 'group', 'aria-label': data.title });
  element('style', {}, page, STYLE);
  const task = element('p', { class: 'task' }, page);
  const columns = element('div', { class: 'columns' }, page);
  const [left, right] = [element('div', {}, columns), element('div', {}, columns)];
  const controls = element('div');
  const say = element('p', { class: 'say', 'aria-live': 'polite', 'aria-atomic': 'true' });
  const width = () => Math.min(left.clientWidth || 320, 560);

  function button(text, row, click, kind = '') {
    const made = element('button', { type: 'button', class: kind }, row, text);
    made.addEventListener('click', click);
    return made;
  }
  function slider(name, [min, max, step], input) {
    const label = element('label', {}, controls);
    element('span', {}, label, name);
    const shown = element('span', {}, label);
    const range = element('input', { type: 'range', min, max, step, 'aria-label': name }, label);
    range.addEventListener('input', () => input(+range.value));
    return (value, text, top = max) => {
      range.max = top;
      range.value = value;
      range.setAttribute('aria-valuetext', text);
      shown.textContent = text;
    };
  }

  // A view with axes. It is a slider over its points: the arrow keys say each one's values.
  class View {
    constructor(parent, name, high, { key, click } = {}) {
      const look = { class: 'view', role: 'slider', tabindex: 0, 'aria-label': name };
      this.box = element('div', look, parent);
      element('div', { class: 'name' }, this.box, name);
      this.plot = element('div', { 'aria-hidden': 'true' }, this.box);
      this.read = element('div', { class: 'read' }, this.box);
      Object.assign(this, { high, points: [], chosen: -1, own: key });
      this.plot.addEventListener('pointermove', (event) => this.choose(this.nearest(event)));
      this.plot.addEventListener('pointerleave', () => this.choose(-1));
      if (click) this.plot.addEventListener('pointerup', (event) => click(...this.place(event)));
      this.box.addEventListener('focus', () => this.chosen < 0 && this.choose(this.points.length - 1));
      this.box.addEventListener('blur', () => this.choose(-1));
      this.box.addEventListener('keydown', (event) => this.keys(event));
    }
    keys(event) {
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
      const ends = { Home: 0, End: this.points.length - 1 };
      if (moves[event.key] && this.own) this.own(...moves[event.key]);
      else if (moves[event.key]) {
        const next = this.chosen + sum(moves[event.key]);
        this.choose(Math.min(Math.max(next, 0), this.points.length - 1));
      } else if (event.key in ends && !this.own) this.choose(ends[event.key]);
      else return;
      event.preventDefault();
    }
    choose(number) {
      if (number === this.chosen) return;
      this.chosen = number;
      this.draw();
    }
    nearest(event) {
      const area = this.plot.getBoundingClientRect();
      let [found, least] = [-1, 30];
      this.points.forEach(([x, y], number) => {
        const [across, down] = [event.clientX - area.left, event.clientY - area.top];
        const far = Math.hypot(this.x(x) - across, this.y(y) - down);
        if (far < least) [found, least] = [number, far];
      });
      return found;
    }
    place(event) {
      const area = this.plot.getBoundingClientRect();
      const { x, y, wide, high } = this.inner;
      const across = (event.clientX - area.left - x) / wide;
      const down = (event.clientY - area.top - y) / high;
      const [[a, b], [c, d]] = [this.axes.x, this.axes.y];
      return [a + across * (b - a), d + down * (c - d)];
    }
    // axes: {x: [from, to], y: [from, to], xname, yname, log, names}; content: () => SVG;
    // points: [x, y, text].
    show(axes, content, points) {
      Object.assign(this, { axes, content, points });
      this.chosen = Math.min(this.chosen, points.length - 1);
      this.draw();
    }
    draw() {
      if (!this.axes) return;
      const { xname, yname, log, names } = this.axes;
      const [w, h] = [width(), Math.round(width() * this.high)];
      const inner = { x: yname ? 46 : 2, y: 20, wide: w - (yname ? 54 : 8), high: h - 56 };
      const scale = log ? Math.log10 : (v) => v;
      const [[a, b], [c, d]] = [this.axes.x, this.axes.y.map(scale)];
      const clip = (v) => Math.min(Math.max(v, -1e4), 1e4);
      this.inner = inner;
      this.x = (v) => clip(inner.x + ((v - a) / (b - a)) * inner.wide);
      this.y = (v) => clip(inner.y + ((d - scale(v)) / (d - c)) * inner.high);
      const rows = log ? ticks(c, d, 4).filter(Number.isInteger).map((v) => 10 ** v) : ticks(c, d, 4);
      const across = names ? names.map((_, i) => i) : ticks(a, b, 4);
      const bottom = inner.y + inner.high;
      let svg = '';
      const text = (x, y, words, anchor) => tag('text', { x, y, 'text-anchor': anchor }, escape(words));
      for (const v of yname ? rows : []) {
        const line = { x1: inner.x, x2: inner.x + inner.wide, y1: this.y(v), y2: this.y(v) };
        svg += tag('line', { ...line, stroke: 'var(--soft)' });
        const far = Math.abs(v) >= 1e5;
        const label = far ? minus(v.toExponential(0).replace('+', '')) : plain(v, log ? 0 : digits(rows));
        svg += text(inner.x - 6, this.y(v) + 4, label, 'end');
      }
      for (const v of across) {
        const label = names ? names[v] : plain(v, digits(across));
        svg += text(this.x(v), bottom + 16, label, 'middle');
      }
      svg += text(0, 12, yname || '', 'start');
      svg += text(inner.x + inner.wide, bottom + 32, xname || '', 'end');
      svg += tag('line', { x1: inner.x, x2: inner.x + inner.wide, y1: bottom, y2: bottom, stroke: 'var(--grey)' });
      const inside = `${inner.x} ${inner.y} ${inner.wide} ${inner.high}`;
      const frame = { x: inner.x, y: inner.y, width: inner.wide, height: inner.high };
      svg += tag('svg', { ...frame, viewBox: inside, style: 'overflow:hidden' }, this.content());
      const point = this.points[this.chosen];
      if (point) svg += this.dot(point, { r: 11, fill: 'none', stroke: 'var(--ink)', 'stroke-width': 2 });
      this.plot.innerHTML = tag('svg', { width: w, height: h, viewBox: `0 0 ${w} ${h}` }, svg);
      this.read.textContent = point ? point[2] : '';
      const last = this.points.length - 1;
      const now = this.chosen < 0 ? last : this.chosen;
      const values = { valuemin: 0, valuemax: last, valuenow: now, valuetext: this.points[now][2] };
      for (const [key, value] of Object.entries(values)) this.box.setAttribute(`aria-${key}`, value);
    }
    far([x, y]) {
      const [[a, b], [c, d]] = [this.axes.x, this.axes.y];
      const { inner } = this;
      return [inner.x + ((x - a) / (b - a)) * inner.wide, inner.y + ((d - y) / (d - c)) * inner.high];
    }
    dot([x, y], look) {
      return tag('circle', { cx: this.x(x), cy: this.y(y), r: 6, ...look });
    }
    line(points, look) {
      const at = points.map(([x, y]) => `${this.x(x).toFixed(2)},${this.y(y).toFixed(2)}`);
      return tag('polyline', { points: at.join(' '), fill: 'none', 'stroke-width': 2, ...look });
    }
    cross(point, look = {}) {
      const [x, y] = [this.x(point[0]), this.y(point[1])];
      const d = `M${x - 5} ${y - 5}l10 10m0-10l-10 10`;
      return tag('path', { d, stroke: 'var(--red)', 'stroke-width': 2.5, ...look });
    }
    words([x, y], text, look = {}) {
      return tag('text', { x: this.x(x), y: this.y(y), ...look }, escape(text));
    }
  }
  const TARGET = { fill: 'none', stroke: 'var(--blue)', 'stroke-width': 2 };

  // 1. One weight: a line with its squares, and the parabola of the loss

  function line() {
    const { names, factor, rest, targets, fixed, count, label, unit, low, high, start, rate } = data;
    const errors = (v) => factor.map((f, i) => rest[i] + f * v - targets[i]);
    const loss = (v) => (sum(errors(v).map((e) => e * e)) + fixed) / count;
    const slope = (v) => (2 / count) * sum(errors(v).map((e, i) => e * factor[i]));
    const curvature = (2 / count) * sum(factor.map((f) => f * f));
    const best = start - slope(start) / curvature;
    const range = Array.from({ length: 101 }, (_, k) => low + (k / 100) * (high - low));
    let value = start;
    let met = false;
    const show = slider(`${label} (${unit})`, [low, high, 0.01], (v) => go(v));
    const row = element('div', { class: 'buttons' }, controls);
    button(`Step with the rate ${small(rate)}`, row, () => go(value - rate * slope(value)), 'first');
    button('Reset', row, () => go(start));
    const squares = new View(left, 'The regions and their squared errors', 0.85);
    const parabola = new View(right, `The loss over ${label}`, 0.85);
    left.append(controls, say);
    task.textContent = `Turn ${label} alone: how low can you bring the loss?`;
    const lows = factor.map((f, i) => [low, high].map((v) => rest[i] + f * v)).flat();
    const [bottom, top] = [Math.min(0, ...lows), Math.max(...lows, ...targets)];
    const ends = [Math.min(0, ...factor), 1.3 * Math.max(...factor)];

    function go(v) {
      value = Math.min(Math.max(v, low), high);
      const [here, steep] = [loss(value), slope(value)];
      const next = value - rate * steep;
      met ||= here - loss(best) < 5e-4 * (loss(start) - loss(best));
      show(value, plain(value, 2));
      const numeric = data.xname;
      const places = numeric ? factor : names.map((_, i) => i);
      const preds = factor.map((f, i) => rest[i] + f * value);
      const axes = { x: numeric ? ends : [-0.5, names.length + 0.3], y: [bottom, top] };
      Object.assign(axes, { xname: numeric, yname: data.yname, names: numeric ? null : names });
      squares.show(
        axes,
        () => {
          let svg = '';
          places.forEach((x, i) => {
            const [y, z] = [squares.y(targets[i]), squares.y(preds[i])];
            const side = Math.abs(z - y);
            const at = { x: squares.x(x), y: Math.min(y, z), width: side, height: side };
            svg += tag('rect', { ...at, fill: 'var(--red)', 'fill-opacity': 0.18, stroke: 'var(--red)' });
            svg += tag('line', { x1: at.x, x2: at.x, y1: y, y2: z, stroke: 'var(--grey)', 'stroke-width': 2 });
          });
          if (numeric) svg += squares.line(ends.map((x) => [x, x * value + rest[0]]), { stroke: 'var(--red)' });
          places.forEach((x, i) => {
            svg += squares.dot([x, targets[i]], TARGET) + squares.cross([x, preds[i]]);
          });
          return svg;
        },
        places.map((x, i) => [
          x,
          targets[i],
          `${names[i]}: ${short(targets[i])} harvested, ${short(preds[i])} predicted, squared error ${short((preds[i] - targets[i]) ** 2)}`,
        ]),
      );
      const tallest = Math.max(loss(low), loss(high));
      const reach = 0.16 * (high - low);
      parabola.show(
        { x: [low, high], y: [0, tallest], xname: `${label} (${unit})`, yname: 'loss (MSE, tons²)' },
        () =>
          parabola.line(range.map((v) => [v, loss(v)]), { stroke: 'var(--blue)' }) +
          parabola.line(
            [-reach, reach].map((by) => [value + by, here + by * steep]),
            { stroke: 'var(--red)', 'stroke-dasharray': '7 4' },
          ) +
          parabola.dot([value, here], { r: 8, fill: 'var(--red)' }),
        [[value, here, `${label} = ${plain(value, 2)}: loss ${precise(here)}, slope ${short(steep)}`]],
      );
      const by = rate * Math.abs(steep);
      say.textContent =
        `At ${label} = ${plain(value, 2)} the loss is ${precise(here)} and its slope ${short(steep)}. ` +
        `A step of ${small(rate)} × ${short(Math.abs(steep))} = ${by < 0.01 ? small(by) : plain(by, by < 0.1 ? 4 : 3)} ` +
        `${steep > 0 ? 'down' : 'up'} leads to ${plain(next, 2)}, where the loss is ${precise(loss(next))}.` +
        (met ? ` Found: at ${plain(best, 2)} the tangent is level, and no other ${label} gives less than ${precise(loss(best))}.` : '');
      remember({ [label]: plain(value, 2).replace('−', '-') });
    }
    page.update = () => go(value);
    const asked = address();
    go(asked.has(label) ? +asked.get(label) : start);
    return { state: () => ({ value, loss: loss(value), slope: slope(value), best, met }), go, loss, slope };
  }

  // 2. and 3. A line with slope and height: the path of gradient descent, with momentum

  function problem(x, y) {
    const n = x.length;
    const errors = ([s, h]) => x.map((v, i) => s * v + h - y[i]);
    const loss = (p) => sum(errors(p).map((e) => e * e)) / n;
    const gradient = (p) => {
      const found = errors(p);
      return [(2 / n) * sum(found.map((e, i) => e * x[i])), (2 / n) * sum(found)];
    };
    // The curvature is the matrix [[a, c], [c, 2]]; its larger eigenvalue limits the rate.
    const [a, c] = [(2 / n) * sum(x.map((v) => v * v)), (2 / n) * sum(x)];
    const steep = (a + 2) / 2 + Math.hypot((a - 2) / 2, c);
    const flat = (2 * a - c * c) / steep;
    const angle = Math.atan2(2 * c, a - 2) / 2;
    const modes = [[Math.cos(angle), Math.sin(angle)], [-Math.sin(angle), Math.cos(angle)]];
    const [mx, my] = [sum(x) / n, sum(y) / n];
    const slope = sum(x.map((v, i) => (v - mx) * (y[i] - my))) / sum(x.map((v) => (v - mx) ** 2));
    const best = [slope, my - slope * mx];
    return { loss, gradient, errors, steep, flat, modes, best, x, y };
  }
  // One step of PyTorch's SGD: velocity = beta * velocity + gradient, then rate * velocity.
  function step(of, { p, v }, rate, beta) {
    const g = of.gradient(p);
    const velocity = v.map((old, i) => beta * old + g[i]);
    const moved = p.map((old, i) => old - rate * velocity[i]);
    return { p: moved, v: velocity, loss: of.loss(moved) };
  }
  // Cividis, from its dark to its light end.
  const FIELD = ['#00224e', '#123570', '#3b496c', '#575d6d', '#707173', '#8a8678', '#a59c74', '#c3b369', '#e1cc55', '#fee838'];

  function rate() {
    const { x, y, names, goals = [] } = data;
    const momentum = data.kind === 'momentum';
    const mean = sum(x) / x.length;
    const deviation = Math.sqrt(sum(x.map((v) => (v - mean) ** 2)) / x.length);
    const problems = [problem(x, y), problem(x.map((v) => (v - mean) / deviation), y)];
    // The same line in the other coordinates.
    const scaled = ([s, h]) => [s * deviation, h + s * mean];
    const raw = ([s, h]) => [s / deviation, h - (s * mean) / deviation];
    const state = { standard: false, start: data.start, rate: data.rate, beta: 0, path: [], rates: [] };
    const of = () => problems[+state.standard];
    const now = () => state.path.at(-1);
    const limit = () => (2 * (1 + state.beta)) / of().steep;
    const least = 10 ** Math.floor(Math.log10(problems[0].loss(data.start)));
    let timer = 0;
    let reached = 0;

    const map = new View(left, 'Map of the loss: choose a start', 0.8, {
      key: (across, up) => {
        const [[a, b], [c, d]] = [map.axes.x, map.axes.y];
        const [s, h] = state.start;
        begin([s + (across * (b - a)) / 40, h + (up * (d - c)) / 40]);
      },
      click: (s, h) => begin([s, h]),
    });
    left.append(controls, say);
    const chart = new View(right, 'The regions and the line', 0.62);
    const curve = new View(right, 'The loss, step by step', 0.62);
    const bars = momentum && new View(right, 'Error left in each direction', 0.45);
    const turnRate = slider('learning rate', [-6, 0, 0.05], (v) => {
      state.rate = +(10 ** v).toPrecision(2);
      draw(true);
    });
    const turnBeta =
      momentum &&
      slider('momentum β', [0, 0.99, 0.01], (v) => {
        state.beta = v;
        draw(true);
      });
    const row = element('div', { class: 'buttons' }, controls);
    const run = button(`Run ${STEPS}`, row, () => (timer ? halt() : play()), 'first');
    button('Step', row, () => {
      halt();
      advance(1);
    });
    button('Reset', row, () => begin(state.start));
    const label = element('label', {}, controls);
    const check = element('input', { type: 'checkbox' }, label);
    element('span', {}, label, `standardise ${data.xname.split(' (')[0]}`);
    check.addEventListener('change', () => standardise(check.checked));

    function begin(start) {
      halt();
      const [s, h] = start;
      const best = of().best;
      const home = state.standard ? scaled(data.start) : data.start;
      // Where the start may lie: as far from the optimum as the first one, and a half more.
      const far = home.map((v, i) => 1.5 * Math.abs(v - best[i]));
      state.box = best.map((v, i) => [v - far[i], v + far[i]]);
      state.start = [s, h].map((v, i) => Math.min(Math.max(v, state.box[i][0]), state.box[i][1]));
      state.path = [{ p: state.start, v: [0, 0], loss: of().loss(state.start) }];
      state.rates = [];
      draw(true);
    }
    function standardise(on) {
      if (on !== state.standard) state.start = (on ? scaled : raw)(state.start);
      state.standard = on;
      state.rate = Math.min(state.rate, 10 ** topRate());
      begin(state.start);
    }
    const topRate = () => Math.ceil(20 * Math.log10((momentum ? 8 : 4) / of().steep)) / 20;
    // Steps are computed one by one and drawn once.
    function advance(steps) {
      for (let k = 0; k < steps && now().loss < EXPLODED; k++) {
        state.path.push(step(of(), now(), state.rate, state.beta));
        const last = state.rates.at(-1);
        if (last && last[0] === state.rate && last[1] === state.beta) last[2]++;
        else state.rates.push([state.rate, state.beta, 1]);
        const goal = goals[reached];
        const fair = state.path[0].loss > least && state.path.length - 1 <= goal?.[1];
        if (fair && now().loss < goal[0]) state.met = ++reached;
      }
      draw(!timer);
    }
    function halt() {
      clearInterval(timer);
      timer = 0;
      run.textContent = `Run ${STEPS}`;
    }
    function play() {
      if (matchMedia('(prefers-reduced-motion: reduce)').matches) return advance(STEPS);
      let left = STEPS;
      run.textContent = 'Pause';
      timer = setInterval(() => {
        if (!left-- || now().loss >= EXPLODED || !box.isConnected) {
          halt();
          draw(true);
        } else advance(1);
      }, FRAME);
    }

    function draw(settled) {
      const { loss, best, modes, steep, flat } = of();
      const { path, start, standard } = state;
      const steps = path.length - 1;
      const [s, h] = now().p;
      const share = state.rate / limit();
      const words = `${small(state.rate)}, ${small(share)} of the limit ${small(limit())}`;
      turnRate(Math.log10(state.rate), words, topRate());
      if (turnBeta) turnBeta(state.beta, plain(state.beta, 2));
      check.checked = standard;

      const name = (what) => (standard ? `${what} of the standardised line` : what);
      const spot = ({ p, loss }, k) => [
        p[0],
        p[1],
        `${k ? `step ${k}` : 'start'}: slope ${short(p[0])}, height ${short(p[1])}, loss ${precise(loss)}`,
      ];
      map.show(
        { x: state.box[0], y: state.box[1], xname: name('slope'), yname: 'height (tons)' },
        () => contours(map, best, modes, [steep, flat]) + walk(path),
        [spot(path[0], 0), ...path.slice(1).map((each, k) => spot(each, k + 1))],
      );
      const [low, high] = [Math.min(0, ...x), 1.08 * Math.max(...x)];
      const [a, b] = standard ? raw([s, h]) : [s, h];
      chart.show(
        { x: [low, high], y: [0, 1.25 * Math.max(...y)], xname: data.xname, yname: data.yname },
        () =>
          chart.line([[low, a * low + b], [high, a * high + b]], { stroke: 'var(--red)' }) +
          x.map((v, i) => chart.dot([v, y[i]], TARGET) + chart.cross([v, a * v + b])).join(''),
        x.map((v, i) => [
          v,
          y[i],
          `${names[i]}: ${data.xname.split(' (')[0]} ${plain(v, 0)}, harvest ${short(y[i])}, predicted ${short(a * v + b)}`,
        ]),
      );
      const lowest = loss(best);
      const losses = path.map((each) => each.loss);
      const ends = { x: [0, Math.max(STEPS, steps)], y: [0.4 * lowest, 2 * Math.max(...losses, 1e4)] };
      curve.show(
        { ...ends, log: true, xname: 'step', yname: 'loss (MSE, tons²)' },
        () =>
          curve.line([[0, lowest], [ends.x[1], lowest]], { stroke: 'var(--grey)', 'stroke-dasharray': '2 4' }) +
          curve.words([ends.x[1], lowest], `optimum ${precise(lowest)}`, { dy: 14, dx: -4, 'text-anchor': 'end' }) +
          curve.line(losses.map((v, k) => [k, v]), { stroke: 'var(--red)' }) +
          curve.dot([steps, now().loss], { r: 5, fill: 'var(--red)' }),
        losses.map((v, k) => [k, v, `step ${k}: loss ${precise(v)}`]),
      );
      if (bars) errorBars(modes, best, [steep, flat]);
      if (!settled) return;

      const goal = goals[reached];
      task.textContent = goal
        ? `Bring the loss from above ${plain(least, 0)} to below ${plain(goal[0], 0)} in ${goal[1]} steps or fewer.`
        : 'Every task is met.';
      const leaves = (each, places) => `${plain(100 * Math.abs(1 - state.rate * each), places)} % of the error`;
      const lost = now().loss > losses[0] && share > 1;
      say.textContent =
        `Step ${steps}: the loss is ${precise(now().loss)}, the line ${short(a)} · ${data.xname.split(' (')[0]} ` +
        `${b < 0 ? '−' : '+'} ${short(Math.abs(b))}. ` +
        (lost
          ? `It explodes: the rate ${small(state.rate)} is past the limit of ${small(limit())}, so each step lands farther up the other side. Lower it, and reset.`
          : state.met
            ? state.beta
              ? `Met, with the momentum ${plain(state.beta, 2)}.`
              : `Met: with this rate a step leaves ${leaves(steep, 0)} in the steep direction and ${leaves(flat, standard ? 0 : 4)} in the flat one.`
            : `The best line has ${precise(lowest)}.`);
      state.met = 0;
      tell();
    }
    // Each level is an ellipse around the optimum, along the two directions.
    function contours(view, best, modes, curvatures) {
      const { x, y, wide, high } = view.inner;
      const corner = Math.max(...state.box[0].map((s) => Math.max(...state.box[1].map((h) => of().loss([s, h])))));
      const lowest = of().loss(best);
      let svg = tag('rect', { x, y, width: wide, height: high, fill: FIELD.at(-1) });
      for (let k = FIELD.length - 1; k > 0; k--) {
        const above = lowest * (corner / lowest) ** (k / FIELD.length) - lowest;
        const [long, wide] = curvatures.map((each) => Math.sqrt((2 * above) / each));
        const points = Array.from({ length: 181 }, (_, i) => {
          const [c, d] = [long * Math.cos((i * Math.PI) / 90), wide * Math.sin((i * Math.PI) / 90)];
          return best.map((v, j) => v + c * modes[0][j] + d * modes[1][j]);
        });
        svg += ellipse(view, points, FIELD[k - 1]);
      }
      return svg;
    }
    function ellipse(view, points, fill) {
      const at = points.map((each) => view.far(each).map((v) => v.toFixed(1)).join());
      return tag('polygon', { points: at.join(' '), fill, stroke: '#fff', 'stroke-opacity': 0.25 });
    }
    function walk(path) {
      const points = path.map(({ p }) => p);
      const drawn = (look, by) => {
        const [x, y] = [map.x(of().best[0]), map.y(of().best[1])];
        const wide = { ...look, fill: 'none', 'stroke-width': 2 + by };
        return (
          tag('rect', { x: x - 6, y: y - 6, width: 12, height: 12, ...wide }) +
          map.line(points, { ...wide, 'stroke-width': 1.5 + by }) +
          map.dot(points[0], { ...wide, r: 7 }) +
          map.cross(points.at(-1), { stroke: by ? '#fff' : '#d55e00', 'stroke-width': 3 + by })
        );
      };
      const steps = points.slice(0, -1).map((p) => map.dot(p, { r: 2.5, fill: '#fff' }));
      return drawn({ stroke: '#000' }, 3) + steps.join('') + drawn({ stroke: '#fff' }, 0);
    }
    function errorBars(modes, best, curvatures) {
      const along = (p) => modes.map((mode) => sum(mode.map((m, i) => m * (p[i] - best[i]))));
      const [first, here] = [along(state.start), along(now().p)];
      const left = here.map((e, i) => (first[i] ? Math.abs(e / first[i]) : 0));
      const titles = ['steep', 'flat'];
      bars.show(
        { x: [-0.6, 1.6], y: [0, 100], names: titles.map((t, i) => `${t}: ${plain(100 * left[i], 1)} %`), yname: '% of the start' },
        () =>
          left
            .map((part, i) => {
              const [top, ground] = [bars.y(100 * Math.min(part, 1)), bars.y(0)];
              const at = { x: bars.x(i - 0.3), width: bars.x(0.3) - bars.x(-0.3), y: top, height: ground - top };
              return tag('rect', { ...at, fill: i ? 'var(--green)' : 'var(--blue)' });
            })
            .join(''),
        left.map((part, i) => [
          i,
          100 * Math.min(part, 1),
          `${titles[i]} direction, curvature ${short(curvatures[i])}: ${plain(100 * part, 2)} % of the error is left`,
        ]),
      );
    }
    function tell() {
      const used = state.rates.length ? state.rates : [[state.rate, state.beta, 0]];
      const list = (i) => used.map((each) => each[i]).join();
      const shown = { lr: used.map(([r]) => r.toExponential().replace('+', '')).join(), steps: list(2) };
      if (used.some(([, beta]) => beta)) shown.beta = list(1);
      if (state.standard) shown.scaled = 1;
      const home = state.standard ? scaled(data.start) : data.start;
      if (state.start.some((v, i) => v !== home[i])) shown.start = state.start.map((v) => +v.toPrecision(6)).join();
      remember(shown);
    }
    // {lr, beta, steps: a number or a list each, scaled, start}
    function set(wanted) {
      const list = (value, other) => [value ?? other].flat().map(Number);
      state.start = data.start;
      state.standard = false;
      standardise(Boolean(wanted.scaled));
      if (wanted.start) begin(wanted.start.map(Number));
      const [rates, betas] = [list(wanted.lr, data.rate), list(wanted.beta, 0)];
      list(wanted.steps, 0).forEach((steps, k) => {
        state.rate = rates[k] ?? rates.at(-1);
        state.beta = betas[k] ?? betas.at(-1);
        advance(Math.min(steps, 5000));
      });
    }
    const asked = address();
    const part = (name) => asked.get(name)?.split(',');
    page.update = () => draw(false);
    const wanted = { scaled: asked.get('scaled'), start: part('start'), lr: part('lr'), beta: part('beta'), steps: part('steps') };
    set(wanted);
    return {
      set,
      state: () => ({ ...now(), steps: state.path.length - 1, losses: state.path.map((each) => each.loss), limit: limit(), steep: of().steep, flat: of().flat, best: of().best, lowest: of().loss(of().best), rate: state.rate, beta: state.beta, reached }),
    };
  }
  // On the site the state stands in the address; the first explorer of a page owns it.

  const owner = () => 'content_root' in document.documentElement.dataset && document.querySelector('.explorer') === box;
  function address() {
    return new URLSearchParams(owner() ? location.hash.slice(1) : '');
  }
  let waiting = 0;
  let untouched = true;
  function remember(shown) {
    if (untouched || !owner()) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const text = Object.entries(shown).map((pair) => pair.join('=')).join('&');
      history.replaceState(null, '', `#${text}`);
    }, 200);
  }

  // Light or dark, as what lies behind; drawn anew when that or the width changes.

  function dark() {
    for (let at = box; at; at = at.parentElement) {
      const [r, g, b, alpha = 1] = getComputedStyle(at).backgroundColor.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
      if (alpha) return 0.21 * r + 0.72 * g + 0.07 * b < 128;
    }
    return false;
  }
  const dress = () => page.classList.toggle('dark', dark());

  box.append(page);
  dress();
  try {
    box.explorer = { line, rate, momentum: rate }[data.kind]();
  } catch (error) {
    page.remove(); // the picture stays
    throw error;
  }
  for (const picture of box.querySelectorAll('img')) picture.style.display = 'none';
  untouched = false;
  // Jupyter would take the arrow keys, and single letters, for its own. JupyterLab listens after
  // us; Notebook 7 before us, but leaves alone what has its word for that.
  for (const kind of ['focusin', 'keydown', 'keypress', 'keyup']) {
    page.addEventListener(kind, (event) => {
      const ours = !event.ctrlKey && !event.metaKey && event.key !== 'Escape';
      event.target.toggleAttribute('data-lm-suppress-shortcuts', ours);
      if (ours && kind !== 'focusin') event.stopPropagation();
    });
  }
  const changes = new MutationObserver(dress);
  for (const at of [document.documentElement, document.body]) changes.observe(at, { attributes: true });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', dress);
  let drawn = width();
  new ResizeObserver(() => {
    dress();
    if (width() !== drawn) {
      drawn = width();
      page.update();
    }
  }).observe(left);
})();
