// Explanations to touch: one state, several views of it, by mouse, finger or keyboard.
//
// helpers/explore.py puts this script into an output, behind a picture that stands where
// scripts do not run. It needs nothing else, asks nothing of a network, and stores nothing.
// tests/test_explore.py compares its numbers with PyTorch's.
(() => {
  const box = document.currentScript.parentElement;
  if (box.explorer) return; // JupyterLab runs it again when a cell scrolls back into view
  const data = JSON.parse(box.dataset.explore);

  // Numbers and text

  const sum = (list) => list.reduce((a, b) => a + b, 0);
  const mean = (list) => sum(list) / list.length;
  const dot = (a, b) => sum(a.map((v, i) => v * b[i]));
  const clamp = (v, low, high) => Math.min(Math.max(v, low), high);
  const convert = (v, [a, b], [c, d]) => c + ((v - a) / (b - a)) * (d - c);
  const power = (v, digits) => v.toExponential(digits).replace(/\.?0*e\+?/, 'e');
  const plain = (v, digits = Math.abs(v) < 10 ? 2 : Math.abs(v) < 1000 ? 1 : 0) => {
    const places = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    const text = Math.abs(v) < 1e7 ? v.toLocaleString('en', places) : power(v, 1);
    return text.replace(/^-(?=[0.]*$)/, '').replace(/-/g, '−');
  };
  const precise = (v) => plain(v, Math.abs(v) < 1000 ? 2 : 1);
  const small = (v) => (v < 0.01 ? power(v, 2) : String(+v.toPrecision(3)));
  // About four round numbers from low to high, each with its label.
  function ticks(low, high) {
    const rough = (high - low) / 4;
    const ten = 10 ** Math.floor(Math.log10(rough));
    const step = ten * [1, 2, 5, 10].find((nice) => nice * ten >= rough);
    const digits = Math.max(0, -Math.floor(Math.log10(step)));
    const found = [];
    for (let k = Math.ceil(low / step); k * step < high + step / 1e6; k++) found.push(k * step);
    return found.map((v) => [v, plain(v, digits)]);
  }
  const escape = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt()};`);
  const tag = (name, attributes, inside = '') => {
    const all = Object.entries(attributes).map(([key, value]) => ` ${key}="${escape(value)}"`);
    return `<${name}${all.join('')}>${inside}</${name}>`;
  };
  function add(parent, name, attributes = {}, text = '') {
    parent.insertAdjacentHTML('beforeend', tag(name, attributes, escape(text)));
    return parent.lastElementChild;
  }

  // The page: two columns of views, controls, and a line that says what they show. Its ink is
  // that of the text around it, and makes every colour a little darker or lighter.

  const role = { class: 'ex', role: 'group', 'aria-label': data.title };
  const page = add(document.createElement('div'), 'div', role);
  page.innerHTML = `
<style>
.ex { --soft: color-mix(in srgb, currentColor 20%, transparent);
  --blue: color-mix(in srgb, #0a8ad6 80%, currentColor);
  --red: color-mix(in srgb, #f07010 85%, currentColor);
  --green: color-mix(in srgb, #08a67c 80%, currentColor);
  font: 15px/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums; text-align: left;
  border: 1px solid var(--soft); border-radius: 8px; padding: 12px; max-width: 56rem; }
.ex, .ex * { box-sizing: border-box; }
.ex :focus-visible { outline: 3px solid var(--blue); outline-offset: 2px; }
.ex p { margin: 6px 0 0; }
.ex .say { min-height: 4.4em; }
.ex .task, .ex .name { font-weight: 600; }
.ex .columns { display: grid; gap: 8px 20px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); }
.ex .left, .ex .right { min-width: 0; }
.ex .view { margin-bottom: 6px; touch-action: manipulation; }
.ex .name, .ex .read { font-size: 14px; min-height: 1.45em; }
.ex .plot > svg { display: block; overflow: visible; fill: none; stroke-width: 2; }
.ex text { fill: currentColor; font: 12px system-ui, sans-serif; }
.ex label, .ex .buttons { display: flex; flex-wrap: wrap; gap: 0 10px; align-items: center; }
.ex input { width: 24px; height: 28px; margin: 0; accent-color: var(--blue); }
.ex [type=range] { flex: 1 1 100%; }
.ex button { font: inherit; color: inherit; background: none; border: 1px solid;
  border-radius: 6px; margin: 4px 0; padding: 6px 14px; cursor: pointer; }
.ex .first { color: #fff; background: #0072b2; }
</style>
<p class="task"></p>
<div class="columns">
<div class="left">
<div class="touch"></div>
<div class="buttons"></div>
<p class="say" aria-live="polite" aria-atomic="true"></p>
</div>
<div class="right"></div>
</div>`;
  const [task, left, touch, buttons, say, right] = page.querySelectorAll(
    '.task, .left, .touch, .buttons, .say, .right',
  );
  const fullWidth = () => Math.min(left.clientWidth || 320, 560);
  const drawings = []; // of the sliders and views, all of one state
  const draw = () => drawings.forEach((each) => each());

  function button(text, click, look = '') {
    const made = add(buttons, 'button', { type: 'button', class: look }, text);
    made.addEventListener('click', click);
    return made;
  }
  // A slider; `now` returns its value, that in words, and its upper end if this moves.
  function slider(name, [min, max, step], now, turn) {
    const label = add(touch, 'label');
    add(label, 'span', {}, name);
    const shown = add(label, 'span');
    const range = add(label, 'input', { type: 'range', min, max, step, 'aria-label': name });
    range.addEventListener('input', () => turn(+range.value));
    drawings.push(() => {
      const [value, words, top = max] = now();
      Object.assign(range, { max: top, value, ariaValueText: words });
      shown.textContent = words;
    });
  }

  // A view with axes. It is a slider over its points: the arrow keys say each one's values.
  // `look` returns what it shows: the ends of x and y, with a name and maybe ticks; points; text,
  // what to say of one; and marks. Where there is `move`, a place can be chosen.
  const [LEFT, TOP, SIDES, ENDS] = [46, 20, 54, 56]; // pixels around the marks
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const RED = { stroke: 'var(--red)' };
  function view(parent, name, shape, look, move) {
    const looks = { class: 'view', role: 'slider', tabindex: 0, 'aria-label': name };
    const slider = add(parent, 'div', looks);
    add(slider, 'div', { class: 'name' }, name);
    const plot = add(slider, 'div', { class: 'plot', 'aria-hidden': 'true' });
    const read = add(slider, 'div', { class: 'read' });
    let [shown, wide, high, last, chosen] = [{}, 0, 0, 0, -1];

    // Marks, at the places of the data, as far as a browser can draw
    const x = (v) => clamp(convert(v, shown.x, [0, wide]), -1e4, 1e4);
    const y = (v) => clamp(convert(v, shown.y, [high, 0]), -1e4, 1e4);
    const dot = ([a, b], look) => tag('circle', { cx: x(a), cy: y(b), r: 6, ...look });
    const cross = ([a, b], look) =>
      tag('path', { d: `M${x(a) - 5} ${y(b) - 5}l10 10m0-10l-10 10`, ...look });
    const line = (points, look) => {
      const places = points.map(([a, b]) => `${x(a).toFixed(2)},${y(b).toFixed(2)}`);
      return tag('polyline', { points: places.join(' '), ...look });
    };
    const write = (x, y, words, anchor) =>
      tag('text', { x, y, 'text-anchor': anchor }, escape(words));
    const pen = { x, y, dot, cross, line, write };

    function axes({ xname, yname, xticks = ticks(...shown.x), yticks = ticks(...shown.y) }) {
      const rule = (y, stroke) =>
        tag('line', { x2: wide, y1: y, y2: y, stroke, 'stroke-width': 1 });
      return [
        ...yticks.map(([v]) => rule(y(v), 'var(--soft)')),
        ...yticks.map(([v, words]) => write(-6, y(v) + 4, words, 'end')),
        ...xticks.map(([v, words]) => write(x(v), high + 16, words, 'middle')),
        write(-LEFT, -8, yname, 'start'),
        write(wide, high + 32, xname, 'end'),
        rule(high, 'currentColor'),
      ].join('');
    }
    function draw() {
      shown = look();
      last = shown.points.length - 1;
      chosen = Math.min(chosen, last);
      const [width, height] = [fullWidth(), Math.round(fullWidth() * shape)];
      [wide, high] = [width - SIDES, height - ENDS];
      const marks = tag('svg', { width: wide, height: high }, shown.marks(pen).join(''));
      const point = shown.points[chosen];
      const ring = point ? dot(point, { r: 11, stroke: 'currentColor' }) : '';
      const frame = { width, height, viewBox: `${-LEFT} ${-TOP} ${width} ${height}` };
      plot.innerHTML = tag('svg', frame, axes(shown) + marks + ring);
      const now = point ? chosen : last;
      const values = { ariaValueMin: 0, ariaValueMax: last, ariaValueNow: now };
      Object.assign(slider, values, { ariaValueText: shown.text(now) });
      read.textContent = point ? shown.text(now) : '';
    }
    drawings.push(draw);

    // The mouse and the keys
    function choose(number) {
      if (number === chosen) return;
      chosen = number;
      draw();
    }
    const place = (event) => {
      const { left, top } = plot.getBoundingClientRect();
      const [across, down] = [event.clientX - left - LEFT, event.clientY - top - TOP];
      return [convert(across, [0, wide], shown.x), convert(down, [high, 0], shown.y)];
    };
    const nearest = ([a, b]) => {
      const far = shown.points.map((point) => Math.hypot(x(point[0]) - x(a), y(point[1]) - y(b)));
      const least = Math.min(...far);
      return least < 30 ? far.indexOf(least) : -1;
    };
    function press(event) {
      const arrow = ARROWS[event.key];
      const part = (i, [low, high]) => shown.points[0][i] + (arrow[i] * (high - low)) / 40;
      if (arrow && move) move([part(0, shown.x), part(1, shown.y)]);
      else if (arrow) choose(clamp(chosen + sum(arrow), 0, last));
      else if (event.key === 'Home') choose(0);
      else if (event.key === 'End') choose(last);
      else return;
      event.preventDefault();
    }
    plot.addEventListener('pointermove', (event) => choose(nearest(place(event))));
    plot.addEventListener('pointerleave', () => choose(-1));
    if (move) plot.addEventListener('pointerup', (event) => move(place(event)));
    slider.addEventListener('focus', () => chosen < 0 && choose(last));
    slider.addEventListener('blur', () => choose(-1));
    slider.addEventListener('keydown', press);
  }

  // The regions: targets as circles and predictions as crosses, over numbers, where these lie on
  // a line, or each in a place of its own. `fit` returns what predicts from a number.
  function regions(parent, title, shape, { xs, targets, y, squares }, fit) {
    const { names, xname, yname } = data;
    const ends = [Math.min(0, ...xs), (squares ? 1.3 : 1.08) * Math.max(...xs)];
    const x = xname ? ends : [-0.5, names.length + 0.3];
    const xticks = xname ? ticks(...ends) : names.map((name, i) => [i, name]);
    const points = targets.map((target, i) => [xname ? xs[i] : i, target]);
    view(parent, title, shape, () => {
      const predict = fit();
      const predicted = xs.map(predict);
      const line = ends.map((v) => [v, predict(v, 0)]);
      const square = (pen, [place, target], i) => {
        const side = Math.abs(pen.y(target) - pen.y(predicted[i]));
        const at = { x: pen.x(place), y: pen.y(Math.max(target, predicted[i])) };
        const look = { ...RED, 'stroke-width': 1, fill: 'var(--red)', 'fill-opacity': 0.18 };
        return tag('rect', { ...at, width: side, height: side, ...look });
      };
      return {
        x, xname, xticks, y, yname, points,
        text: (i) =>
          `${names[i]}: ${xname ? `${rain} ${plain(xs[i], 0)}, ` : ''}` +
          `${plain(targets[i])} harvested, ${plain(predicted[i])} predicted, ` +
          `squared error ${plain((predicted[i] - targets[i]) ** 2)}`,
        marks: (pen) => [
          ...(squares ? points.map((point, i) => square(pen, point, i)) : []),
          xname ? pen.line(line, RED) : '',
          ...points.map((point) => pen.dot(point, { stroke: 'var(--blue)' })),
          ...points.map(([place], i) => pen.cross([place, predicted[i]], RED)),
        ],
      };
    });
  }
  const rain = data.xname.split(' (')[0];
  const LOSS = 'loss (MSE, tons²)';

  // The mean squared error of predictions that are linear in the weights p
  function squaredErrors(columns, targets, rest, fixed, count) {
    const errors = (p) =>
      targets.map((target, i) => rest[i] + sum(columns.map((each, j) => each[i] * p[j])) - target);
    const loss = (p) => (sum(errors(p).map((e) => e * e)) + fixed) / count;
    const gradient = (p) => columns.map((column) => (2 / count) * dot(column, errors(p)));
    return { loss, gradient };
  }

  // 1. One weight: its predictions with their squared errors, and the parabola of the loss

  function oneWeight() {
    const { factor, rest, targets, fixed, count, label, low, high, start, rate } = data;
    const model = squaredErrors([factor], targets, rest, fixed, count);
    const loss = (v) => model.loss([v]);
    const slope = (v) => model.gradient([v])[0];
    const best = start - slope(start) / ((2 / count) * dot(factor, factor));
    const weight = `${label} (${data.unit})`;
    let [value, met] = [start, false];
    task.textContent = `Turn ${label} alone: how low can you bring the loss?`;

    const ends = factor.flatMap((f, i) => [rest[i] + f * low, rest[i] + f * high]);
    const y = [Math.min(0, ...ends), Math.max(...ends, ...targets)];
    const region = { xs: factor, targets, y, squares: true };
    const fit = () => (x, i) => rest[i] + x * value;
    regions(touch, 'The regions and their squared errors', 0.85, region, fit);
    view(right, `The loss over ${label}`, 0.85, () => {
      const [here, steep] = [loss(value), slope(value)];
      const values = Array.from({ length: 101 }, (_, k) => low + (k / 100) * (high - low));
      const by = 0.16 * (high - low);
      const tangent = [[value - by, here - by * steep], [value + by, here + by * steep]];
      return {
        x: [low, high], xname: weight,
        y: [0, Math.max(loss(low), loss(high))], yname: LOSS,
        points: [[value, here]],
        text: () => `${label} = ${plain(value, 2)}: loss ${precise(here)}, slope ${plain(steep)}`,
        marks: ({ line, dot }) => [
          line(values.map((v) => [v, loss(v)]), { stroke: 'var(--blue)' }),
          line(tangent, { ...RED, 'stroke-dasharray': '7 4' }),
          dot([value, here], { r: 8, fill: 'var(--red)' }),
        ],
      };
    });
    slider(weight, [low, high, 0.01], () => [value, plain(value, 2)], go);
    button(`Step with the rate ${small(rate)}`, () => go(value - rate * slope(value)), 'first');
    button('Reset', () => go(start));

    function go(wanted) {
      value = clamp(wanted, low, high);
      met ||= loss(value) - loss(best) < 5e-4 * (loss(start) - loss(best));
      draw();
      const [steep, next] = [Math.abs(slope(value)), value - rate * slope(value)];
      const found =
        ` Found: at ${plain(best, 2)} the tangent is level, ` +
        `and no other ${label} gives less than ${precise(loss(best))}.`;
      say.textContent =
        `At ${label} = ${plain(value, 2)} the loss is ${precise(loss(value))} ` +
        `and its slope ${plain(slope(value))}. ` +
        `A step of ${small(rate)} × ${plain(steep)} = ${small(rate * steep)} ` +
        `${next < value ? 'down' : 'up'} leads to ${plain(next, 2)}, ` +
        `where the loss is ${precise(loss(next))}.${met ? found : ''}`;
      remember({ [label]: value.toFixed(2) });
    }
    go(+(address[label] ?? start));
    return { go, state: () => ({ value, loss: loss(value), slope: slope(value), best }) };
  }

  // 2. and 3. A line with slope and height: the path of gradient descent, with momentum

  // The curvature of the loss is the matrix [[a, b], [b, 2]]: steep in one direction, and flat in
  // the other. `own` and `raw` lead from raw coordinates to those of this model, and back.
  function lineModel(numbers, y, shift = 0, scale = 1) {
    const x = numbers.map((v) => (v - shift) / scale);
    const model = squaredErrors([x, x.map(() => 1)], y, x.map(() => 0), 0, x.length);
    const [a, b] = [(2 / x.length) * dot(x, x), 2 * mean(x)];
    const steep = (a + 2) / 2 + Math.hypot((a - 2) / 2, b);
    const flat = (2 * a - b * b) / steep;
    const angle = Math.atan2(2 * b, a - 2) / 2;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const directions = [[cos, sin], [-sin, cos]];
    const centred = x.map((v) => v - mean(x));
    const slope = dot(centred, y) / dot(centred, x);
    const best = [slope, mean(y) - slope * mean(x)];
    const own = ([s, h]) => [s * scale, h + s * shift];
    const raw = ([s, h]) => [s / scale, h - (s * shift) / scale];
    return { ...model, steep, flat, directions, best, lowest: model.loss(best), own, raw };
  }
  // One step of PyTorch's SGD: velocity = beta * velocity + gradient, then rate * velocity.
  function step(model, { p, v }, rate, beta) {
    const g = model.gradient(p);
    const velocity = v.map((old, i) => beta * old + g[i]);
    const moved = p.map((old, i) => old - rate * velocity[i]);
    return { p: moved, v: velocity, loss: model.loss(moved) };
  }
  const FRAME = 60; // milliseconds for a step of a run
  const EXPLODED = 1e12; // a loss at which a run ends
  // Cividis, from its light to its dark end.
  const FIELD =
    'fee838 e1cc55 c3b369 a59c74 8a8678 707173 575d6d 3b496c 123570 00224e'.split(' ');

  // A run has `length` steps; the slider of the rate ends at `reach` over the curvature.
  function descent(length = 40, reach = 4, momentum = false) {
    const { x, y, goals } = data;
    const deviation = Math.sqrt(mean(x.map((v) => (v - mean(x)) ** 2)));
    const models = [lineModel(x, y), lineModel(x, y, mean(x), deviation)];
    const above = 10 ** Math.floor(Math.log10(models[0].loss(data.start))); // a task's start
    let [model, start, rate, beta] = [models[0], data.start, data.rate, 0];
    let [path, runs, area] = [[], [], []]; // a run: its rate, its beta and its steps
    let [timer, reached, met] = [0, 0, false];
    const now = () => path.at(-1);
    const scaled = () => model === models[1];
    const limit = () => (2 * (1 + beta)) / model.steep;
    const topRate = () => Math.ceil(20 * Math.log10(reach / model.steep)) / 20;

    // What happens

    function begin(from) {
      // Where the start may lie: as far from the optimum as the first one, and a half more.
      const far = model.own(data.start).map((v, i) => 1.5 * Math.abs(v - model.best[i]));
      area = model.best.map((v, i) => [v - far[i], v + far[i]]);
      start = from.map((v, i) => clamp(v, ...area[i]));
      path = [{ p: start, v: [0, 0], loss: model.loss(start) }];
      runs = [];
      run(0);
    }
    function standardise(on) {
      start = models[+on].own(model.raw(start));
      model = models[+on];
      rate = Math.min(rate, 10 ** topRate());
      begin(start);
    }
    // Steps are computed one by one and drawn once.
    function advance(steps) {
      for (let k = 0; k < steps && now().loss < EXPLODED; k++) {
        path.push(step(model, now(), rate, beta));
        const last = runs.at(-1);
        if (last && last[0] === rate && last[1] === beta) last[2]++;
        else runs.push([rate, beta, 1]);
        const [below, most] = goals[reached] ?? [];
        const fair = path[0].loss > above && path.length - 1 <= most;
        if (fair && now().loss < below) met = ++reached;
      }
      if (timer) draw();
      else show();
    }
    // Take steps, one a frame where motion is wanted; to take none is a pause.
    function run(steps) {
      clearTimeout(timer);
      const still = matchMedia('(prefers-reduced-motion: reduce)').matches || !box.isConnected;
      const goesOn = steps > 1 && now().loss < EXPLODED && !still;
      timer = goesOn ? setTimeout(run, FRAME, steps - 1) : 0;
      runner.textContent = goesOn ? 'Pause' : `Run ${length}`;
      advance(goesOn ? 1 : steps);
    }
    // lr, beta and steps: one, or one for each run, as a list or in a text with commas.
    function set(wanted) {
      const list = (name, other) => String(wanted[name] ?? other).split(',').map(Number);
      [start, model] = [data.start, models[0]];
      standardise(Boolean(wanted.scaled));
      if (wanted.start) begin(list('start'));
      const [rates, betas] = [list('lr', data.rate), list('beta', 0)];
      list('steps', 0).forEach((steps, k) => {
        [rate, beta] = [rates[k] ?? rates.at(-1), betas[k] ?? betas.at(-1)];
        advance(Math.min(steps, 5000));
      });
    }

    // What is seen

    view(touch, 'Map of the loss: choose a start', 0.8, () => ({
      x: area[0], xname: scaled() ? 'slope of the standardised line' : 'slope',
      y: area[1], yname: 'height (tons)',
      points: path.map(({ p }) => p),
      text: (k) =>
        `${k ? `step ${k}` : 'start'}: slope ${plain(path[k].p[0])}, ` +
        `height ${plain(path[k].p[1])}, loss ${precise(path[k].loss)}`,
      marks: (pen) => [contours(pen), walk(pen)],
    }), begin);
    // Where the loss is the same, the distances along the two directions, each times the root of
    // its curvature, lie on a circle.
    function contours({ x, y }) {
      const { best, lowest, steep, flat, directions } = model;
      const centre = [x(best[0]), y(best[1])];
      const units = directions.flatMap((direction, i) => {
        const [s, h] = best.map((v, j) => v + direction[j] / Math.sqrt(i ? flat : steep));
        return [x(s) - centre[0], y(h) - centre[1]];
      });
      const corners = area[0].flatMap((s) => area[1].map((h) => model.loss([s, h])));
      const times = Math.max(...corners) / lowest;
      const levels = FIELD.map((fill, k) => {
        const r = Math.sqrt(2 * lowest * (times ** (1 - k / FIELD.length) - 1));
        return tag('circle', { r, fill: `#${fill}`, 'vector-effect': 'non-scaling-stroke' });
      });
      const look = { stroke: '#fff', 'stroke-opacity': 0.25, 'stroke-width': 1 };
      return tag('g', { transform: `matrix(${[...units, ...centre]})`, ...look }, levels.join(''));
    }
    // White over black, to be seen on every colour.
    function walk({ x, y, line, dot, cross }) {
      const points = path.map(({ p }) => p);
      const [left, top] = [x(model.best[0]) - 6, y(model.best[1]) - 6];
      const best = tag('rect', { x: left, y: top, width: 12, height: 12 });
      const outlines = best + line(points) + dot(start, { r: 7 });
      return [
        tag('g', { stroke: '#000', 'stroke-width': 5 }, outlines),
        cross(now().p, { stroke: '#fff', 'stroke-width': 6 }),
        ...points.slice(0, -1).map((p) => dot(p, { r: 2.5, fill: '#fff' })),
        tag('g', { stroke: '#fff' }, outlines),
        cross(now().p, { stroke: '#d55e00', 'stroke-width': 3 }),
      ].join('');
    }
    const region = { xs: x, targets: y, y: [0, 1.25 * Math.max(...y)] };
    regions(right, 'The regions and the line', 0.62, region, () => {
      const [slope, height] = model.raw(now().p);
      return (v) => slope * v + height;
    });
    view(right, 'The loss, step by step', 0.62, () => {
      const points = path.map(({ loss }, k) => [k, Math.log10(loss)]);
      const [lowest, last] = [Math.log10(model.lowest), Math.max(length, path.length - 1)];
      const y = [lowest - 0.4, Math.max(4, ...points.map((point) => point[1])) + 0.3];
      const powers = ticks(...y).map(([v]) => v).filter(Number.isInteger);
      const dotted = { stroke: 'currentColor', 'stroke-dasharray': '2 4' };
      return {
        x: [0, last], xname: 'step',
        y, yname: LOSS, yticks: powers.map((v) => [v, v < 5 ? plain(10 ** v, 0) : `1e${v}`]),
        points,
        text: (k) => `step ${k}: loss ${precise(path[k].loss)}`,
        marks: (pen) => [
          pen.line([[0, lowest], [last, lowest]], dotted),
          pen.write(pen.x(last) - 4, pen.y(lowest) + 14, `optimum ${precise(model.lowest)}`, 'end'),
          pen.line(points, RED),
          pen.dot(points.at(-1), { r: 5, fill: 'var(--red)' }),
        ],
      };
    });
    if (momentum)
      view(right, 'Error left in each direction', 0.45, () => {
        const along = (p) => model.directions.map((each) => dot(each, p) - dot(each, model.best));
        const first = along(start);
        const left = along(now().p).map((e, i) => (first[i] ? 100 * Math.abs(e / first[i]) : 0));
        const titles = ['steep', 'flat'];
        const points = left.map((percent, i) => [i, Math.min(percent, 100)]);
        return {
          x: [-0.6, 1.6], xname: '',
          y: [0, 100], yname: '% of the start',
          xticks: titles.map((title, i) => [i, `${title}: ${plain(left[i], 1)} %`]),
          points,
          text: (i) =>
            `${titles[i]} direction, curvature ${plain(model[titles[i]])}: ` +
            `${plain(left[i], 2)} % of the error is left`,
          marks: ({ x, line }) => points.map(([i, percent]) => {
            const look = { stroke: `var(--${i ? 'green' : 'blue'})`, 'stroke-width': x(0) };
            return line([[i, 0], [i, percent]], look);
          }),
        };
      });
    const ofLimit = () => `${small(rate)}, ${small(rate / limit())} of the limit ${small(limit())}`;
    slider('learning rate', [-6, 0, 0.05], () => [Math.log10(rate), ofLimit(), topRate()], (v) => {
      rate = +(10 ** v).toPrecision(2);
      show();
    });
    if (momentum)
      slider('momentum β', [0, 0.99, 0.01], () => [beta, plain(beta, 2)], (v) => {
        beta = v;
        show();
      });
    const runner = button('', () => run(timer ? 0 : length), 'first');
    button('Step', () => run(1));
    button('Reset', () => begin(start));
    const option = add(buttons, 'label');
    const check = add(option, 'input', { type: 'checkbox' });
    add(option, 'span', {}, `standardise ${rain}`);
    check.addEventListener('change', () => standardise(check.checked));

    // What is said

    function show() {
      draw();
      check.checked = scaled();
      const [below, most] = (goals[reached] ?? []).map((v) => plain(v, 0));
      const goal = `from above ${plain(above, 0)} to below ${below} in ${most} steps or fewer.`;
      task.textContent = below ? `Bring the loss ${goal}` : 'Every task is met.';
      const [slope, height] = model.raw(now().p);
      say.textContent =
        `Step ${path.length - 1}: the loss is ${precise(now().loss)}, the line ${plain(slope)} ` +
        `· ${rain} ${height < 0 ? '−' : '+'} ${plain(Math.abs(height))}. ${verdict()}`;
      met = false;
      remember(asAddress());
    }
    function verdict() {
      if (now().loss > path[0].loss && rate > limit())
        return (
          `It explodes: the rate ${small(rate)} is past the limit of ${small(limit())}, so each ` +
          'step lands farther up the other side. Lower it, and reset.'
        );
      if (!met) return `The best line has ${precise(model.lowest)}.`;
      if (beta) return `Met, with the momentum ${plain(beta, 2)}.`;
      const left = (curvature, digits) => plain(100 * Math.abs(1 - rate * curvature), digits);
      return (
        `Met: with this rate a step leaves ${left(model.steep, 0)} % of the error in the steep ` +
        `direction and ${left(model.flat, scaled() ? 0 : 4)} % of the error in the flat one.`
      );
    }
    function asAddress() {
      const used = runs.length ? runs : [[rate, beta, 0]];
      const [rates, betas, steps] = [0, 1, 2].map((i) => used.map((each) => each[i]));
      const shown = { lr: rates.map((each) => each.toExponential().replace('+', '')), steps };
      if (betas.some(Boolean)) shown.beta = betas;
      if (scaled()) shown.scaled = 1;
      const home = model.own(data.start);
      if (start.some((v, i) => v !== home[i])) shown.start = start.map((v) => +v.toPrecision(6));
      return shown;
    }
    set(address);
    const state = () => {
      const losses = path.map(({ loss }) => loss);
      return { ...model, ...now(), rate, beta, limit: limit(), losses, steps: path.length - 1 };
    };
    return { set, state };
  }

  // On the site the state stands in the address; the first explorer of a page owns it.

  const onSite = 'content_root' in document.documentElement.dataset;
  const owner = onSite && document.querySelector('.explorer') === box;
  const address = Object.fromEntries(new URLSearchParams(owner ? location.hash.slice(1) : ''));
  let waiting = 0;
  function remember(shown) {
    if (!box.explorer || !owner) return; // nobody has touched it
    clearTimeout(waiting);
    const text = Object.entries(shown).map((pair) => pair.join('=')).join('&');
    waiting = setTimeout(() => history.replaceState(null, '', `#${text}`), 200);
  }

  // Start, and draw anew when the width changes.

  const kinds = { line: oneWeight, rate: descent, momentum: () => descent(200, 8, true) };
  box.explorer = kinds[data.kind](); // if that fails, the picture stays
  for (const picture of box.querySelectorAll('img')) picture.style.display = 'none';
  box.append(page);
  // Jupyter would take the arrow keys, and single letters, for its own. JupyterLab listens after
  // us; Notebook 7 before us, but leaves alone what has its word for that.
  for (const kind of ['focusin', 'keydown', 'keypress', 'keyup']) {
    page.addEventListener(kind, (event) => {
      const ours = !event.ctrlKey && !event.metaKey && event.key !== 'Escape';
      event.target.toggleAttribute('data-lm-suppress-shortcuts', ours);
      if (ours && kind !== 'focusin') event.stopPropagation();
    });
  }
  let drawn = 0;
  new ResizeObserver(() => {
    if (fullWidth() === drawn) return;
    drawn = fullWidth();
    draw();
  }).observe(left);
})();
