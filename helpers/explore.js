// Explanations to touch: one state, several views of it, by mouse, finger or keyboard.
//
// helpers/explore.py puts this script and explore.css into an output, behind a picture that
// stands where scripts do not run. They ask nothing of a network, and store nothing.
// tests/test_explore.py compares its numbers with PyTorch's.
(() => {
  const box = document.currentScript.parentElement;
  if (box.explorer) return; // JupyterLab runs it again when a cell scrolls back into view
  const data = JSON.parse(box.dataset.explore);
  const { names, xname, yname, start: home } = data;
  const [xs, ys] = [data.x ?? data.factor, data.y ?? data.targets];
  const rain = xname.split(' (')[0];

  // Numbers and text

  const sum = (list) => list.reduce((a, b) => a + b, 0);
  const mean = (list) => sum(list) / list.length;
  const dot = (a, b) => sum(a.map((v, i) => v * b[i]));
  const clamp = (v, low, high) => Math.min(Math.max(v, low), high);
  const convert = (v, [a, b], [c, d]) => c + ((v - a) / (b - a)) * (d - c);
  const power = (v) => v.toExponential().replace('+', '');
  const round = (v, digits) => +v.toPrecision(digits);
  const small = (v) => (v < 0.01 ? power(round(v, 3)) : String(round(v, 3)));
  const plain = (v, digits = Math.abs(v) < 1000 ? 2 : 1) => {
    if (Math.abs(v) >= 1e7) return power(round(v, 2));
    const places = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    return v.toLocaleString('en', { ...places, signDisplay: 'negative' }).replace('-', '−');
  };
  // About five round numbers from low to high, each with its label.
  function ticks(low, high) {
    const rough = (high - low) / 5;
    const ten = 10 ** Math.floor(Math.log10(rough));
    const step = ten * [1, 2, 5, 10].find((nice) => nice * ten >= rough);
    const digits = Math.max(0, -Math.floor(Math.log10(step)));
    const [first, last] = [Math.ceil(low / step), Math.floor(high / step + 1e-6)];
    const found = Array.from({ length: last - first + 1 }, (_, k) => (first + k) * step);
    return found.map((v) => [v, plain(v, digits)]);
  }
  const escape = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt()};`);
  const join = (parts) => parts.flat(2).join('');
  function add(parent, html) {
    parent.insertAdjacentHTML('beforeend', html);
    return parent.lastElementChild;
  }

  // The page: two columns of views, controls, and a line that says what they show

  const page = document.createElement('div');
  Object.assign(page, { className: 'ex', role: 'group', ariaLabel: data.title });
  page.innerHTML = `
<p class="task"></p>
<div class="columns">
<div><div class="touch"></div><div class="buttons"></div>
<p class="say" aria-live="polite" aria-atomic="true"></p></div>
<div class="right"></div>
</div>`;
  const parts = '.task, .touch, .buttons, .say, .right';
  const [task, touch, buttons, say, right] = page.querySelectorAll(parts);
  const drawings = []; // of the sliders and views, all of one state
  const draw = () => drawings.forEach((each) => each());

  const tell = (result, text) =>
    (say.innerHTML = (result && `<b>${escape(result)}</b>`) + escape(text));
  const button = (text, onclick) =>
    Object.assign(add(buttons, `<button type="button">${text}</button>`), { onclick });
  // A slider: `now` returns its value, and `words` says what that means.
  function slider(name, [min, max, step], now, turn, words = plain) {
    const range = `type="range" min="${min}" max="${max}" step="${step}"`;
    const label = `<label><span>${escape(name)}</span><span></span>
      <input ${range} aria-label="${escape(name)}"></label>`;
    const [, shown, input] = add(touch, label).children;
    input.oninput = () => turn(+input.value);
    drawings.push(() => {
      input.value = now();
      input.ariaValueText = shown.textContent = words(now());
    });
  }

  // A view with axes. It is a slider over its points: the arrow keys say each one's values.
  // `look` returns what it shows: the ends of x and y, with a name and maybe ticks; points; text,
  // what to say of one; maybe a key, to be read while none is chosen; and marks, that may reach
  // over the EDGE. Where there is `move`, a place can be chosen.
  const [WIDE, EDGE, LEFT, TOP, RIGHT, BOTTOM] = [300, 8, 44, 24, 2, 32]; // in pixels of an SVG
  const MAP = 0.76; // the height of a map over its width
  const KEYS = {
    ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
    Home: [-Infinity, 0], End: [Infinity, 0],
  };
  const [CROSS, BOX] = ['m-5-5l10 10m0-10l-10 10', 'm-6-6h12v12h-12z'];
  const [RED, BLUE] = ['stroke="var(--red)"', 'stroke="var(--blue)"'];
  const SQUARE = `${RED} stroke-width="1" fill="var(--red)" fill-opacity="0.18"`;
  function view(parent, name, shape, look, move) {
    const [width, height] = [WIDE + 2 * EDGE, WIDE * shape + 2 * EDGE];
    const [across, up] = [[EDGE, width - EDGE], [height - EDGE, EDGE]];
    const viewBox = [-LEFT, -TOP, LEFT + width + RIGHT, TOP + height + BOTTOM].join(' ');
    const slider = add(parent, `
      <div class="view" role="slider" tabindex="0" aria-label="${escape(name)}">
      <div class="name">${escape(name)}</div>
      <svg viewBox="${viewBox}" aria-hidden="true"></svg><div class="read"></div></div>`);
    const [, svg, read] = slider.children;
    let [shown, chosen] = [{}, -1];

    // Marks, at the places of the data, as far as a browser can draw
    const x = (v) => clamp(convert(v, shown.x, across), -1e4, 1e4);
    const y = (v) => clamp(convert(v, shown.y, up), -1e4, 1e4);
    const dot = ([a, b], r, look) => `<circle cx="${x(a)}" cy="${y(b)}" r="${r}" ${look}/>`;
    const sign = ([a, b], shape, look) => `<path d="M${x(a)} ${y(b)}${shape}" ${look}/>`;
    const line = (points, look) =>
      `<polyline points="${points.map(([a, b]) => [x(a), y(b)])}" ${look}/>`;
    const write = (x, y, words, anchor) =>
      `<text x="${x}" y="${y}" text-anchor="${anchor}">${escape(words)}</text>`;
    const pen = { x, y, dot, sign, line, write };

    function axes({ xname, yname, xticks = ticks(...shown.x), yticks = ticks(...shown.y) }) {
      const rule = (v, ink) => line(shown.x.map((end) => [end, v]), `stroke="${ink}"`);
      return [
        yticks.map(([v, words]) => [rule(v, 'var(--soft)'), write(-4, y(v) + 4, words, 'end')]),
        xticks.map(([v, words]) => write(x(v), height + 12, words, 'middle')),
        write(-LEFT, 12 - TOP, yname, 'start'),
        write(width, height + 28, xname, 'end'),
        rule(shown.y[0], 'currentColor'),
      ];
    }
    drawings.push(draw);
    function draw(wanted = chosen) {
      shown = look();
      const last = shown.points.length - 1;
      chosen = Math.min(wanted, last);
      const point = shown.points[chosen];
      const marks = join(shown.marks(pen, shown.points));
      const ring = point ? dot(point, 11, 'stroke="currentColor"') : '';
      svg.innerHTML = `<g stroke-width="1">${join(axes(shown))}</g>
        <svg width="${width}" height="${height}">${marks}</svg>${ring}`;
      const now = point ? chosen : last;
      const text = shown.text(now);
      Object.assign(slider, { ariaValueMax: last, ariaValueNow: now, ariaValueText: text });
      read.textContent = point ? text : (shown.key ?? '');
    }

    // The mouse and the keys
    svg.onpointermove = svg.onpointerup = ({ type, button, clientX, clientY }) => {
      const at = new DOMPoint(clientX, clientY).matrixTransform(svg.getScreenCTM().inverse());
      const place = [convert(at.x, across, shown.x), convert(at.y, up, shown.y)];
      if (type === 'pointerup' && !button) move?.(place);
      const far = shown.points.map(([a, b]) => Math.hypot(x(a) - at.x, y(b) - at.y));
      draw(far.indexOf(Math.min(...far, 30))); // none where all are farther than that
    };
    slider.onfocus = () => chosen < 0 && draw(Infinity);
    slider.onblur = svg.onpointerleave = () => draw(-1);
    slider.onkeydown = (event) => {
      const key = KEYS[event.key];
      if (!key) return;
      event.preventDefault();
      const far = ([low, high], i) => shown.points[0][i] + (key[i] * (high - low)) / 40;
      if (move) move([shown.x, shown.y].map(far));
      else draw(Math.max(0, chosen + sum(key)));
    };
  }

  // The regions: targets as circles and predictions as crosses, over numbers, where these lie on
  // a line, or each in a place of its own; with squares where there is one weight.
  function regions(parent, name, shape, y, predict) {
    const squares = data.kind === 'line';
    const ends = [Math.min(0, ...xs), 1.08 * Math.max(...xs)];
    const points = ys.map((target, i) => [xname ? xs[i] : i, target]);
    const key = `○ harvested, × predicted${squares ? ', □ area: error²' : ''}`;
    view(parent, name, shape, () => {
      const predicted = xs.map(predict);
      const square = (pen, [place, target], i) => {
        const [low, high] = [target, predicted[i]].map(pen.y).sort((a, b) => a - b);
        const width = high - low;
        const x = pen.x(place) - (xname ? width : 0); // on the side where there is room
        return `<rect x="${x}" y="${low}" width="${width}" height="${width}" ${SQUARE}/>`;
      };
      return {
        x: xname ? ends : [-0.5, names.length + 0.3], xname,
        xticks: xname ? undefined : names.map((name, i) => [i, name]),
        y, yname, points,
        text: (i) =>
          `${names[i]}: ${xname ? `${rain} ${plain(xs[i], 0)}, ` : ''}` +
          `${plain(ys[i])} harvested, ${plain(predicted[i])} predicted, ` +
          `squared error ${plain((predicted[i] - ys[i]) ** 2)}`,
        key: predicted.some((v) => v >= y[0] && v <= y[1]) ? key : 'The line has left the picture.',
        marks: (pen) => [
          points.map((point, i) => (squares ? square(pen, point, i) : '')),
          xname ? pen.line(ends.map((v) => [v, predict(v, 0)]), RED) : '',
          points.map((point) => pen.dot(point, 6, BLUE)),
          points.map(([place], i) => pen.sign([place, predicted[i]], CROSS, RED)),
        ],
      };
    });
  }

  // 1. One weight: its predictions with their squared errors, and the parabola of the loss

  function oneWeight() {
    const { label, rest, fixed, count, low, high, rate } = data;
    const name = data.loss.split(' (')[0];
    const predict = (x, i) => rest[i] + x * value;
    const errors = (v) => ys.map((target, i) => rest[i] + v * xs[i] - target);
    const loss = (v) => (dot(errors(v), errors(v)) + fixed) / count;
    const slope = (v) => (2 / count) * dot(errors(v), xs);
    const best = home - slope(home) / ((2 / count) * dot(xs, xs));
    const weight = `${label} (${data.unit})`;
    let value = home;
    task.textContent = data.task;

    const ends = xs.flatMap((x, i) => [rest[i] + x * low, rest[i] + x * high]);
    const y = [Math.min(0, ...ends), Math.max(...ends, ...ys)];
    regions(touch, 'The regions and their squared errors', 0.82, y, predict);
    const text = () =>
      `At ${label} = ${plain(value)} the ${name} is ${plain(loss(value))} ` +
      `and its slope ${plain(slope(value))}.`;
    view(right, `The ${name} for each ${label}`, 0.82, () => {
      const [here, by] = [loss(value), 0.16 * (high - low)];
      const curve = Array.from({ length: 101 }, (_, k) => low + (k / 100) * (high - low));
      const tangent = [-by, by].map((far) => [value + far, here + far * slope(value)]);
      return {
        x: [low, high], xname: weight,
        y: [0, Math.max(loss(low), loss(high))], yname: data.loss,
        points: [[value, here]], text,
        key: '● now, dashed: the slope there',
        marks: ({ line, dot }) => [
          line(curve.map((v) => [v, loss(v)]), BLUE),
          line(tangent, `${RED} stroke-dasharray="7 4"`),
          dot([value, here], 8, 'fill="var(--red)"'),
        ],
      };
    });
    slider(weight, [low, high, 0.01], () => value, go);
    button(`Step downhill, rate ${small(rate)}`, () => go(value - rate * slope(value)));
    button('Reset', () => go(home));

    function go(wanted) {
      value = clamp(wanted, low, high);
      draw();
      const next = value - rate * slope(value);
      const met = loss(value) - loss(best) < 5e-5 * (loss(home) - loss(best));
      const found = `✓ Found: the lowest ${name} is ${plain(loss(best))}, at ${plain(best)}.`;
      const more = met
        ? 'At the lowest point the slope is 0, so a step leads nowhere.'
        : `A step takes away rate × slope: ${plain(value)} − ${small(rate)} × ` +
          `${plain(slope(value))} = ${plain(next)}, where the ${name} is ${plain(loss(next))}.`;
      tell(met ? found : '', `${text()} ${more}`);
      remember({ [label]: value.toFixed(2) });
    }
    const state = () => ({ value, loss: loss(value), slope: slope(value), best });
    const set = (wanted) => go(Number.isFinite(+wanted[label]) ? +wanted[label] : home);
    return { set, state };
  }

  // 2. and 3. A line with slope and height: the path of gradient descent, with momentum

  // The curvature of the loss is the matrix [[a, b], [b, 2]]: steep in one direction, and flat in
  // the other. `own` and `raw` lead from raw coordinates to those of this model, and back.
  function lineModel(shift, scale) {
    const x = xs.map((v) => (v - shift) / scale);
    const errors = ([s, h]) => x.map((v, i) => s * v + h - ys[i]);
    const loss = (p) => mean(errors(p).map((e) => e * e));
    const gradient = (p) => [(2 * dot(x, errors(p))) / x.length, 2 * mean(errors(p))];
    const [a, b] = [(2 * dot(x, x)) / x.length, 2 * mean(x)];
    const steep = (a + 2) / 2 + Math.hypot((a - 2) / 2, b);
    const flat = (2 * a - b * b) / steep;
    const angle = Math.atan2(2 * b, a - 2) / 2;
    const directions = [[Math.cos(angle), Math.sin(angle)], [-Math.sin(angle), Math.cos(angle)]];
    const [g, h] = gradient([0, 0]);
    const best = [(b * h - 2 * g) / (steep * flat), (b * g - a * h) / (steep * flat)];
    const own = ([s, h]) => [s * scale, h + s * shift];
    const raw = ([s, h]) => [s / scale, h - (s * shift) / scale];
    // Where a start may lie: as far from the best line as the first one, and a half more; where
    // the rain is standardised, both are tons, and a ton is as long one way as the other.
    const away = own(home).map((v, i) => 1.5 * Math.abs(v - best[i]));
    const tons = Math.max(away[0] * MAP, away[1]);
    const far = scale === 1 ? away : [tons / MAP, tons];
    const area = best.map((v, i) => [v - far[i], v + far[i]]);
    return { loss, gradient, steep, flat, directions, best, lowest: loss(best), own, raw, area };
  }
  // One step of PyTorch's SGD: velocity = beta * velocity + gradient, then rate * velocity.
  function step(model, { p, v }, setting) {
    const { rate, beta } = setting;
    const g = model.gradient(p);
    const velocity = v.map((old, i) => beta * old + g[i]);
    const moved = p.map((old, i) => old - rate * velocity[i]);
    return { p: moved, v: velocity, loss: model.loss(moved), setting };
  }

  function descent(momentum) {
    const deviation = Math.sqrt(mean(xs.map((v) => (v - mean(xs)) ** 2)));
    const models = [lineModel(0, 1), lineModel(mean(xs), deviation)];
    const above = 10 ** Math.floor(Math.log10(models[0].loss(home))); // where a task starts
    const length = () => (tasks[0] ?? data.goals.at(-1))[1]; // of a run
    let setting = { rate: data.rate, beta: 0 }; // of the next steps; never changed, but replaced
    let [model, path, timer, tasks] = [models[0], [], 0, data.goals];
    const now = () => path.at(-1);
    const scaled = () => model === models[1];
    const limit = () => (2 * (1 + setting.beta)) / model.steep;

    // What happens

    function begin(from) {
      const p = from.map((v, i) => clamp(v, ...model.area[i]));
      path = [{ p, v: [0, 0], loss: model.loss(p) }];
      run(0);
    }
    function turn(change) {
      setting = { ...setting, ...change };
      show();
    }
    // Take steps, for two seconds where motion is wanted; to take none is a pause.
    function run(steps, jump = matchMedia('(prefers-reduced-motion: reduce)').matches) {
      clearTimeout(timer);
      const some = jump ? steps : Math.min(steps, Math.ceil(length() / 50)); // in a frame
      for (let k = some; k > 0 && now().loss < 1e12; k--) path.push(step(model, now(), setting));
      const more = now().loss < 1e12 && steps - some;
      timer = more && setTimeout(run, (2000 * some) / length(), more);
      show();
    }
    // lr, beta and steps: one, or one for each run, as a list or in a text with commas.
    function set(wanted) {
      const list = (name, other) => {
        const found = String(wanted[name]).split(',').map(Number);
        return found.every(Number.isFinite) ? found : other;
      };
      const [rates, betas] = [list('lr', [data.rate]), list('beta', [0])];
      model = models[Number(wanted.scaled) ? 1 : 0];
      begin(list('start', model.own(home)));
      list('steps', [0]).forEach((steps, k) => {
        setting = { rate: rates[k] ?? rates.at(-1), beta: betas[k] ?? betas.at(-1) };
        run(Math.min(steps, 5000), true);
      });
    }

    // What is seen

    const [first, second] = data.weights.map((weight) => weight.split(' (')[0]);
    function text(k) {
      const [a, b] = path[k].p.map((v) => plain(v));
      return `Step ${k}: the loss is ${plain(path[k].loss)}, ${first} ${a}, ${second} ${b}.`;
    }
    view(touch, 'Map of the loss: choose a start', MAP, () => ({
      x: model.area[0], xname: scaled() ? `${first}, standardised (tons)` : data.weights[0],
      y: model.area[1], yname: data.weights[1],
      points: path.map(({ p }) => p), text,
      key: 'dark: low loss, □ lowest point, ○ start, × now',
      marks: (pen, points) => [contours(pen), walk(pen, points)],
    }), begin);
    // Where the loss is the same, the distances along the two directions, each times the root of
    // its curvature, lie on a circle.
    function contours({ x, y }) {
      const { area, best, lowest, steep, flat, directions } = model;
      const corners = area[0].flatMap((s) => area[1].map((h) => model.loss([s, h])));
      const times = Math.max(...corners) / lowest;
      const levels = Array.from({ length: 11 }, (_, k) => {
        const r = Math.sqrt(2 * lowest * (times ** (1.1 - k / 10) - 1));
        return `<circle r="${r}" fill="color-mix(in oklab, #00224e ${10 * k}%, #fee838)"/>`;
      });
      const transform =
        `translate(${x(best[0])} ${y(best[1])}) scale(${x(1) - x(0)} ${y(1) - y(0)})` +
        `matrix(${directions.flat()} 0 0) scale(${steep ** -0.5} ${flat ** -0.5})`;
      return `<g transform="${transform}">${join(levels)}</g>`;
    }
    // White with a black rim, to be seen on every colour.
    function walk({ line, dot, sign }, points) {
      const marks = [
        sign(model.best, BOX, ''),
        line(points, ''),
        dot(points[0], 7, ''),
        points.slice(1).map((p) => dot(p, 2.5, 'fill="#fff" stroke="none"')),
        sign(now().p, CROSS, 'stroke-width="6"'),
        sign(now().p, CROSS, 'stroke-width="3" stroke="#d55e00"'),
      ];
      return `<g class="walk">${join(marks)}</g>`;
    }
    regions(right, 'The regions and the line', 0.55, [0, 1.25 * Math.max(...ys)], (v) => {
      const [slope, height] = model.raw(now().p);
      return slope * v + height;
    });
    view(right, 'The loss, step by step', 0.55, () => {
      const points = path.map(({ loss }, k) => [k, Math.log10(loss)]);
      const [lowest, last] = [Math.log10(model.lowest), Math.max(length(), path.length - 1)];
      const top = Math.max(4, ...points.map((point) => point[1])) + 0.3;
      const y = [lowest - 0.15 * (top - lowest), top]; // room for the word below
      const powers = ticks(...y).map(([v]) => v).filter(Number.isInteger);
      const dotted = 'stroke="currentColor" stroke-dasharray="2 4"';
      return {
        x: [0, last], xname: 'step',
        y, yname: 'loss (MSE, tons²)',
        yticks: powers.map((v) => [v, v < 5 ? plain(10 ** v, 0) : `1e${v}`]),
        points, text,
        marks: (pen) => [
          pen.line([[0, lowest], [last, lowest]], dotted),
          pen.write(pen.x(last) - 4, pen.y(lowest) + 14, `optimum ${plain(model.lowest)}`, 'end'),
          pen.line(points, RED),
          pen.dot(points.at(-1), 5, 'fill="var(--red)"'),
        ],
      };
    });
    // The part of the error that is left along each direction, and that in words.
    const along = (each, { p }) => dot(each, p) - dot(each, model.best);
    const left = () => model.directions.map((each, i) => {
      const part = Math.abs(along(each, now()) / along(each, path[0])) || 0;
      return [part, `${['steep', 'flat'][i]} ${plain(100 * part)}\xa0%`];
    });
    if (momentum)
      view(right, 'Error left in each direction', 0.36, () => ({
        x: [-0.6, 1.6], xname: '',
        xticks: left().map(([, words], i) => [i, words]),
        y: [0, 1], yname: '% of the start', yticks: [0, 50, 100].map((v) => [v / 100, v]),
        points: left().map(([part], i) => [i, Math.min(part, 1)]),
        text: (i) => `${left()[i][1]} is left, curvature ${plain(i ? model.flat : model.steep)}`,
        marks: ({ x, line }, points) =>
          points.map(([i, v]) => line([[i, 0], [i, v]], `${BLUE} stroke-width="${x(0)}"`)),
      }));
    // The slider of the rate is turned by powers of ten of the limit.
    const share = () => Math.log10(setting.rate / limit());
    const toShare = (power) => turn({ rate: round(10 ** power * limit(), 2) });
    slider('learning rate', [-4, 0.5, 0.05], share, toShare, (power) =>
      `${small(setting.rate)}, ${small(10 ** power)} of the limit ${small(limit())}`);
    const ofBeta = () => setting.beta;
    if (momentum) slider('momentum β', [0, 0.99, 0.01], ofBeta, (beta) => turn({ beta }));
    const runner = button('', () => run(timer ? 0 : length()));
    button('Step', () => run(1));
    button('Reset', () => begin(path[0].p));
    const option = `<label><input type="checkbox"><span>standardise ${escape(rain)}</span></label>`;
    const check = add(buttons, option).firstChild;
    check.onchange = () => {
      const [start, part] = [model.raw(path[0].p), share()];
      model = models[+check.checked];
      begin(model.own(start));
      toShare(part);
      tell(`The rate is ${small(setting.rate)} now: the same share of the limit.`, say.innerText);
    };

    // What is said

    const ask = ([below, most]) => `below ${below} in ${most} steps or fewer.`;
    function show() {
      const came = timer ? '' : result();
      draw();
      check.checked = scaled();
      runner.textContent = timer ? 'Pause' : `Run ${length()}`;
      const from = `Bring the loss from above ${plain(above, 0)} to`;
      task.textContent = tasks.length ? `${from} ${ask(tasks[0])}` : 'Every task is met.';
      say.ariaLive = timer ? 'off' : 'polite'; // read aloud at the end
      tell(came, `${text(path.length - 1)} ${timer ? '' : verdict()}`);
      const runs = [...new Set([...path.slice(1).map((each) => each.setting), setting])];
      const start = path[0].p;
      remember({
        lr: runs.map(({ rate }) => power(rate)),
        steps: runs.map((run) => path.filter((each) => each.setting === run).length),
        beta: momentum && runs.map(({ beta }) => beta),
        scaled: Number(scaled()),
        start: `${start}` !== `${model.own(home)}` && start.map((v) => round(v, 6)),
      });
    }
    // What came of the tasks; one that is met is done with.
    function result() {
      const when = ([below]) => path.findIndex(({ loss }) => loss < below);
      const fair = path[0].loss > above;
      const met = tasks.findLast((one) => fair && when(one) > 0 && when(one) <= one[1]);
      tasks = tasks.slice(tasks.indexOf(met) + 1);
      const [next] = tasks;
      const then = next ? `Next: ${ask(next)}` : '';
      if (met) return `✓ Met: below ${met[0]} at step ${when(met)}. ${then}`;
      if (next && !fair) return `For the task, start at a loss above ${plain(above, 0)}.`;
      const late = path[next?.[1]];
      return late ? `Not yet: at step ${next[1]} it was ${plain(late.loss)}.` : '';
    }
    function verdict() {
      if (now().loss > path[0].loss && setting.rate > limit())
        return 'It explodes: past the limit each step lands farther up. Lower the rate, and reset.';
      const errors = left().map(([, words]) => words).join(', ');
      return `The best line has ${plain(model.lowest)}. Error left in each direction: ${errors}.`;
    }
    return { set, state: () => ({ ...model, ...now(), ...setting, limit: limit(), path }) };
  }

  // On the site the state stands in the address; the first explorer of a page owns it.

  const owner = document.querySelector('[data-content_root] .explorer') === box;
  let waiting = 0;
  function remember(shown) {
    if (!box.explorer || !owner) return; // nobody has touched it
    clearTimeout(waiting);
    const given = Object.entries(shown).filter(([, value]) => value);
    const text = given.map((pair) => pair.join('=')).join('&');
    waiting = setTimeout(() => history.replaceState(null, '', `#${text}`), 200);
  }

  // Start; if that fails, the picture stays.

  const explorer = data.kind === 'line' ? oneWeight() : descent(data.kind === 'momentum');
  explorer.set(Object.fromEntries(new URLSearchParams(owner ? location.hash.slice(1) : '')));
  box.explorer = explorer;
  box.append(page);
  // Jupyter would take the arrow keys, and single letters, for its own. JupyterLab listens after
  // us; Notebook 7 before us, but leaves alone what has its word for that.
  for (const kind of ['focusin', 'keydown', 'keypress', 'keyup'])
    page.addEventListener(kind, (event) => {
      const ours = !event.ctrlKey && !event.metaKey && event.key !== 'Escape';
      event.target.toggleAttribute('data-lm-suppress-shortcuts', ours);
      if (ours && kind !== 'focusin') event.stopPropagation();
    });
})();
