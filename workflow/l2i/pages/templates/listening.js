(() => {
  const find = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const trouble = find("#page-trouble");

  // Of a page in one file the data lie inside of it, and elsewhere in data.js.
  const inside = find("#page-data");
  const data = inside ? JSON.parse(inside.textContent) : window.listening;
  if (!data) {
    trouble.textContent = "data.js is missing beside this page, or damaged. " +
      "Keep index.html, data.js and the folder media together.";
    trouble.hidden = false;
    return;
  }

  // ---------------------------------------------------------------- words

  // A long name may go on in a new line after each of its underscores.
  const breakable = (text) =>
    text.split(/(?<=_)/).flatMap((part) => [part, element("wbr")]).slice(0, -1);
  const unseen = (text) => element("span", { class: "unseen" }, text);
  const between = (value, low, high) => Math.max(low, Math.min(high, value));
  const distinct = (values) => [...new Set(values)];
  const natural = new Intl.Collator("en", { numeric: true }).compare;
  const two = (p) => p.toFixed(2);
  const minus = (text) => text.replace("-", "\u2212");

  // Seconds of short clips, minutes and seconds of long ones.
  function clock(seconds) {
    if (clip.seconds < 100) return seconds.toFixed(1);
    const whole = Math.floor(seconds);
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  }
  const spoken = (seconds) => `${clock(seconds)}${clip.seconds < 100 ? " s" : " min"}`;
  function loudness(sound) {
    if (sound.gain_db === null || sound.kind === "input") return "";
    const size = Math.abs(sound.gain_db).toFixed(1);
    if (size === "0.0") return "as loud as the input";
    return `${size} dB ${sound.gain_db < 0 ? "softer" : "louder"} than the input`;
  }
  // How near a sound is to what was planted, and whether it is nearer than the clip itself.
  function nearness({ planted, si_sdr_db: found, input_si_sdr_db: before }) {
    if (found === null) return "";
    const truth = `the planted ${clip.planted.find((s) => s.id === planted).title}`;
    const told = `(SI-SDR ${minus((Math.round(10 * found) / 10 + 0).toFixed(1))} dB)`; // not -0.0
    if (before === null) return `beside ${truth} ${told}`;
    const size = Math.abs(found - before).toFixed(1);
    if (size === "0.0") return `as near to ${truth} as the input is ${told}`;
    return `${size} dB ${found < before ? "farther from" : "nearer to"} ${truth} than the input is ${told}`;
  }

  // ---------------------------------------------------------------- what is chosen

  const FILTERS = ["words", "dataset", "fold", "kind", "class", "system", "verdict"];
  const filters = Object.fromEntries(FILTERS.map((name) => [name, ""]));
  let clip = data.clips[0];
  let system = null; // the interpretation whose sounds the keys choose
  let sound = clip?.input;
  let shown = []; // clips that pass the filters

  // What a person likes stays from visit to visit, where the browser allows that.
  const liked = { matched: true, loop: false, shortcuts: true, strength: 85 };
  try {
    Object.assign(liked, JSON.parse(localStorage.getItem("listening") ?? "{}"));
  } catch { /* some browsers keep nothing for files */ }
  function like(what, value) {
    liked[what] = value;
    try {
      localStorage.setItem("listening", JSON.stringify(liked));
    } catch { /* then it holds for this visit */ }
  }

  // The address says what is chosen, so that a clip can be linked and a reload keeps it. It is
  // written after a pause only, as browsers refuse to do so often.
  let writing = 0;
  let linked = ""; // the clip that the address names
  function address() {
    const fields = new URLSearchParams();
    for (const [name, value] of Object.entries(filters)) if (value) fields.set(name, value);
    fields.set("clip", clip.id);
    if (system) fields.set("by", system.id);
    if (sound !== clip.input) fields.set("sound", sound.id);
    return `#${fields}`;
  }
  function remember() {
    clearTimeout(writing);
    writing = setTimeout(() => {
      const hash = address();
      if (hash === location.hash) return;
      // One can go back from clip to clip.
      if (linked && linked !== clip.id) history.pushState(null, "", hash);
      else history.replaceState(null, "", hash);
      linked = clip.id;
    }, 200);
  }
  function arrive() {
    const fields = new URLSearchParams(location.hash.slice(1));
    for (const name of FILTERS) filters[name] = fields.get(name) ?? "";
    for (const field of all("[data-filter]")) field.value = filters[field.dataset.filter];
    linked = fields.get("clip") ?? "";
    unfold();
    filter();
    open(data.clips.find((c) => c.id === linked) ?? shown[0] ?? data.clips[0],
      fields.get("by"), fields.get("sound"));
  }

  // ---------------------------------------------------------------- list and filters

  const VERDICTS = {
    right: ["\u2713", "right"],
    wrong: ["\u2717", "wrong"],
    partly: ["\u25d0", "partly right"], // of several decisions
    unknown: ["?", "truth unknown"],
    none: ["\u2013", "not decided for"],
  };
  function verdictOf({ decided, right }) {
    if (!decided) return "none"; // what was not decided is neither right nor wrong
    return right === null ? "unknown" : right ? "right" : "wrong";
  }
  const decisions = (c) => c.interpretations.filter((i) => i.kind === "interpretation");
  function verdict(c) {
    const explained = decisions(c).map(verdictOf);
    // What was planted is interpreted whatever is decided: not to decide for it is to miss it.
    const made = c.kind === "clean" ? explained.filter((kind) => kind !== "none") : explained;
    const n = made.filter((kind) => kind === "right").length;
    if (distinct(made).length > 1) return badge("partly", `${n} of ${made.length} right`);
    return badge(made[0] ?? explained[0] ?? "unknown");
  }
  function badge(kind, word = VERDICTS[kind][1]) {
    const [sign] = VERDICTS[kind];
    return element("span", { class: `verdict ${kind}` },
      element("span", { "aria-hidden": "true" }, sign), ` ${word}`);
  }

  function heardAs(c) {
    const targets = (decided) =>
      distinct(decisions(c).filter((i) => i.decided === decided).map((i) => i.target)).join(", ");
    if (targets(true)) return `heard as ${targets(true)}`;
    return targets(false) ? `not heard as ${targets(false)}` : "not interpreted";
  }

  // Clips are as they were recorded, or mixed: with noise, or with another clip.
  const KINDS_OF_CLIPS = ["clean", "noise", "mixture"];
  function ratio({ snr_db: snr }) {
    if (snr === null) return "";
    return snr === 0 ? "of the same energy"
      : `the first with ${Math.abs(snr)} dB ${snr > 0 ? "more" : "less"} energy`;
  }

  const rows = new Map(); // clip -> its row and the texts that are searched
  function fillList() {
    for (const c of data.clips) {
      const link = element("a", { href: `#${new URLSearchParams({ clip: c.id })}`, tabindex: "-1" },
        ...(c.truth.length // of sounds of one's own nobody says what they are
          ? [element("span", { class: "truth" }, unseen("truth: "), c.truth.join(", ")), verdict(c)]
          : [element("span", { class: "name truth" }, c.name)]),
        element("span", { class: "said" }, heardAs(c)),
        c.truth.length ? element("span", { class: "name" }, c.name) : "");
      const text = [c.name, c.id, c.dataset, ...c.truth,
        ...c.interpretations.flatMap((i) => [i.system, i.target])].join("\n").toLowerCase();
      const row = element("li", {}, link);
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        open(c);
        if (narrow.matches) find("#page-clip").scrollIntoView();
      });
      rows.set(c, { row, link, text });
    }
    find("#page-clips").replaceChildren(...[...rows.values()].map(({ row }) => row));
  }
  const narrow = window.matchMedia("(max-width: 56rem)");
  function unfold() { // on a phone only what is in use
    find("#page-more").open = !narrow.matches || FILTERS.slice(1).some((name) => filters[name]);
  }

  function fillFilters() {
    const interpretations = data.clips.flatMap((c) => c.interpretations);
    const options = {
      dataset: distinct(data.clips.map((c) => c.dataset)),
      fold: distinct(data.clips.map((c) => c.fold)),
      class: distinct(data.clips.flatMap((c) => c.truth).concat(interpretations.map((i) => i.target))),
      system: distinct(interpretations.map((i) => i.system)),
    };
    const fill = (name, choices) => {
      const field = find(`[data-filter=${name}]`);
      field.replaceChildren(element("option", { value: "" }, "all"),
        ...choices.map(([value, text]) => element("option", { value }, text)));
      field.closest("label").hidden = choices.length < 2; // there is nothing to choose
    };
    for (const [name, values] of Object.entries(options)) {
      const ordered = name === "system" ? values : values.sort(natural);
      fill(name, ordered.filter(Boolean).map((value) => [value, value]));
    }
    const kinds = distinct(data.clips.map((c) => c.kind));
    fill("kind", KINDS_OF_CLIPS.filter((kind) => kinds.includes(kind)).map((kind) => [kind, kind]));
    fill("verdict", [["right", "right"], ["wrong", "wrong"]]);
  }

  // One and the same interpretation must be of the system, right or wrong, and of the class where
  // that is not the truth.
  function passes(c) {
    const { class: wanted, system: by, verdict: how } = filters;
    if (["dataset", "fold", "kind"].some((name) => filters[name] && c[name] !== filters[name])) return false;
    const words = filters.words.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.every((word) => rows.get(c).text.includes(word))) return false;
    const ofClass = !wanted || c.truth.includes(wanted);
    if (!by && !how && ofClass) return true;
    return c.interpretations.some((i) =>
      (!by || i.system === by) &&
      (ofClass || i.target === wanted) &&
      (!how || (i.kind === "interpretation" && verdictOf(i) === how)));
  }
  function filter() {
    shown = data.clips.filter(passes);
    const passing = new Set(shown);
    for (const [c, { row }] of rows) row.hidden = !passing.has(c);
    const n = data.clips.length;
    find("#page-count").textContent = shown.length
      ? `${shown.length === n ? "" : `${shown.length} of `}${n} ${n === 1 ? "clip" : "clips"}`
      : "No clip is like that.";
    find("#page-clear").hidden = FILTERS.every((name) => !filters[name]);
    reachable();
  }
  // Tab stops at one clip of the list; arrow keys go on from there.
  function reachable(stop = shown.includes(clip) ? clip : shown[0]) {
    for (const { link } of rows.values()) link.tabIndex = -1;
    if (stop) rows.get(stop).link.tabIndex = 0;
    find("#page-previous").disabled = shown.indexOf(clip) < 1;
    find("#page-next").disabled = shown.indexOf(clip) === shown.length - 1;
  }
  function turn(steps) {
    const next = shown[shown.indexOf(clip) + steps]; // of a clip that is not shown: the first
    if (next) open(next);
  }

  // ---------------------------------------------------------------- the clip: picture and axes

  const surface = find("#page-surface");
  const playhead = find("#page-playhead");
  const slider = find("#page-position");

  const hertz = (f) => (f < 1000 ? `${f} Hz` : `${f / 1000} kHz`);
  function frequencies({ low_hz: low, high_hz: high }) {
    const ticks = [20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000];
    return ticks.filter((f) => f > low * 1.1 && f < high / 1.1)
      .map((f) => ({ share: Math.log(f / low) / Math.log(high / low), text: hertz(f) }));
  }
  function times(seconds) {
    const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200];
    const step = steps.find((s) => seconds / s <= 8) ?? 3600;
    const n = Math.floor(seconds / step + 1e-6);
    return Array.from({ length: n + 1 }, (_, i) => i * step).map((t) => ({
      share: t / seconds,
      text: seconds < 100 ? `${Number(t.toFixed(2))} s` : clock(t),
    }));
  }
  function showPicture() {
    const { low_hz: low, high_hz: high } = clip.axis;
    const picture = find("#page-picture");
    picture.src = clip.picture;
    picture.alt = `Spectrogram of the input: 0 to ${spoken(clip.seconds)}, ${hertz(Math.round(low))} to ` +
      `${hertz(Math.round(high))} on a logarithmic axis`;
    const axis = element("div", { class: "axis", "aria-hidden": "true" });
    for (const { share, text } of frequencies(clip.axis)) {
      const label = element("span", {}, text);
      label.style.bottom = `${100 * share}%`;
      axis.append(label);
    }
    find("#page-legend").replaceChildren(...showTimeline(), axis);
    const seconds = find("#page-seconds");
    seconds.replaceChildren(...times(clip.seconds).map(({ share, text }) => {
      const label = element("span", { class: share > 0.97 ? "last" : share ? "" : "first" }, text);
      label.style.left = `${100 * share}%`;
      return label;
    }));
    showWave();
  }
  function showWave() {
    const n = clip.wave.length / 2;
    const path = Array.from({ length: n }, (_, i) => { // at least a hair, where it is silent
      const [low, high] = [clip.wave[2 * i], clip.wave[2 * i + 1]];
      return `M${i + 0.5} ${-Math.max(high, low + 2)}V${-low}`;
    }).join("");
    const wave = find("#page-wave");
    wave.setAttribute("viewBox", `0 -100 ${n || 1} 200`);
    all(":scope > path", wave).forEach((line) => line.setAttribute("d", path));
  }

  // The probabilities of windows of a long file: a row for each class, darker where more probable.
  let livingNumbers = [];
  function showTimeline() {
    const { edges_seconds: edges = [], rows: classes = [] } = clip.timeline ?? {};
    const strips = classes.map(({ class: name, probabilities }) => {
      const best = probabilities.indexOf(Math.max(...probabilities));
      const strip = drawn("svg", {
        viewBox: `0 0 ${clip.seconds} 1`, preserveAspectRatio: "none", role: "img",
        "aria-label": `${name} over time: most probable, ${two(probabilities[best])}, at ` +
          `${spoken(edges[best])}`,
      });
      strip.append(...probabilities.map((p, i) => drawn("rect", {
        x: edges[i], width: edges[i + 1] - edges[i], height: 1, "fill-opacity": p.toFixed(3),
      })));
      return strip;
    });
    find("#page-timeline").replaceChildren(...strips);
    livingNumbers = classes.map(({ probabilities }) => ({ probabilities, edges, at: element("b") }));
    return classes.map(({ class: name }, i) => element("div", { class: "strip", title: name },
      element("span", {}, name), livingNumbers[i].at));
  }
  function numbersAt(seconds) {
    for (const { probabilities, edges, at } of livingNumbers) {
      const window = edges.findLastIndex((edge) => edge <= seconds);
      at.textContent = two(probabilities[between(window, 0, probabilities.length - 1)]);
    }
  }
  function showMask() {
    const mask = find("#page-mask");
    mask.hidden = !sound.mask;
    if (sound.mask) mask.src = sound.mask;
    document.documentElement.style.setProperty("--strength", liked.strength / 100);
    const whose = KINDS[sound.kind] ? `the ${nameOf(sound)}` : sound.title;
    find("#page-masked").textContent = sound.mask
      ? `darkened: what ${whose.toLowerCase()} leaves out`
      : sound.kind === "prototype" ? "the prototype is another sound than the one pictured" : "";
  }

  // ---------------------------------------------------------------- systems side by side

  const ROOM = 6; // sounds of a system that are shown at once
  const PLAY = "M4 2.5v11l9-5.5z";
  const PAUSE = "M4 3h3v10H4zM9 3h3v10H9z";
  const PLANTED = ["source", "other"];
  const KINDS = { input: "Input", interpretation: "Interpretation", remainder: "Remainder" };
  const nameOf = (s) => KINDS[s.kind] ?? (PLANTED.includes(s.kind) ? `Planted ${s.title}` : s.title);
  const called = (i) => [i.system, i.run && `run ${i.run}`, i.target].filter(Boolean).join(", ");
  const isOfClip = (s) => s === clip.input || clip.planted.includes(s);
  const soundsOf = (i) => [clip.input, ...i.sounds];
  const visible = () =>
    clip.interpretations.filter((i) => !filters.system || i.system === filters.system);

  let buttons = []; // of the sounds of all systems: what plays them, and which they are
  function showSystems() {
    buttons = [];
    const groups = distinct(visible().map((i) => i.target)).map((target) => {
      const members = visible().filter((i) => i.target === target);
      const explained = members.filter((i) => i.kind === "interpretation");
      const first = explained.find((i) => i.decided) ?? explained[0];
      return element("section", { class: "group" },
        element("h3", {}, element("span", { class: "asked" }, "Why "), target,
          element("span", { class: "asked" }, "?"), " ",
          first ? badge(verdictOf(first)) : null),
        element("div", { class: "side" }, ...members.map(card)));
    });
    const hidden = clip.interpretations.length - visible().length;
    find("#page-systems").replaceChildren(...groups, hidden ? others(hidden) : "");
  }
  function others(n) {
    const button = element("button", { type: "button", class: "plain" }, "Show them too");
    button.addEventListener("click", () => setFilter("system", ""));
    return element("p", { class: "faint" },
      `${n} of other systems ${n === 1 ? "is" : "are"} left out by the filter. `, button);
  }
  // Of what a clip was mixed: its sounds, beside the input.
  function showPlanted() {
    planted = clip.planted.map((s) => {
      const button = element("button", { type: "button", class: "pill", "aria-pressed": "false",
        title: minus(loudness(s)) }, icon(), s.title);
      button.disabled = s.file === null;
      button.addEventListener("click", () => press(system, s));
      return { button, s };
    });
    find("#page-planted").hidden = !planted.length;
    find("#page-planted").replaceChildren(element("span", {}, "What was planted"),
      element("kbd", { "aria-hidden": "true" }, "t"),
      ...planted.map(({ button }) => button), element("span", { class: "faint" }, ratio(clip)));
  }
  let planted = []; // what plays them
  function card(i) {
    const facts = [
      i.run ? `run ${i.run}` : "",
      i.kind === "prototype" ? "prototype" : "",
      i.threshold === null ? "" : `relevance above ${i.threshold}`,
    ].filter(Boolean).join(" \u00b7 ");
    const isSilent = i.sounds.some((s) => s.kind === "interpretation" && s.file === null);
    const largest = Math.max(1, ...i.sounds.map((s) => Math.abs(s.relevance ?? 0)));
    const items = soundsOf(i).map((s, at) => soundRow(i, s, at, largest));
    const rest = items.slice(ROOM);
    const made = element("section", { class: "card", "aria-label": called(i) },
      element("header", {}, element("h4", {}, i.system),
        facts ? element("p", { class: "faint" }, facts) : null),
      ...i.notes.map((note) => element("p", { class: isSilent ? "note" : "remark" }, note)),
      probabilities(i),
      element("ol", { class: "sounds" }, ...items.slice(0, ROOM)),
      rest.length ? element("details", {},
        element("summary", {}, `${rest.length} more`),
        element("ol", { class: "sounds" }, ...rest)) : null);
    made.interpretation = i;
    return made;
  }

  // What is said of the input, of the interpretation and of what is left, class by class.
  function probabilities(i) {
    const heard = i.sounds.filter((s) =>
      s.after.length && ["interpretation", "remainder", "prototype"].includes(s.kind));
    const columns = [["Input", i.before], ...heard.map((s) => [nameOf(s), s.after])]
      .filter(([, of]) => of.length);
    const rising = heard.flatMap((s) => s.after).filter(([, p]) => p >= 0.1).map(([name]) => name);
    const classes = distinct([i.target, ...i.before.map(([name]) => name), ...rising]);
    if (!columns.length) return null;
    const known = columns.map(([, of]) => new Map(of)); // of the most probable classes
    const cell = (name, of) => {
      const p = of.get(name);
      if (p === undefined) return missing();
      const bar = element("i", { class: "bar" });
      bar.style.width = `${100 * p}%`;
      return element("td", {}, two(p), element("span", { class: "track" }, bar));
    };
    return element("table", {},
      element("caption", {}, i.predictor ? `What the ${i.predictor} says of` : "Probabilities of"),
      element("thead", {}, element("tr", {}, element("td"),
        ...columns.map(([name]) => element("th", { scope: "col" }, name)))),
      element("tbody", {}, ...classes.map((name) =>
        element("tr", { class: name === i.target ? "target" : "" },
          element("th", { scope: "row" }, ...breakable(name)), ...known.map((of) => cell(name, of))))));
  }

  function missing() {
    const why = "not among the most probable";
    return element("td", { class: "faint", title: why },
      element("span", { "aria-hidden": "true" }, "\u2013"), unseen(why));
  }

  function soundRow(i, s, at, largest) {
    const facts = element("div", { class: "facts" });
    const row = element("li", { class: `sound ${s.kind}` });
    if (s.file === null) {
      facts.append(element("p", { class: "silent" }, s.words || "Silence"));
      row.append(element("div", { class: "mute" }, nameOf(s), key(at)), facts);
    } else {
      const button = element("button", { type: "button", "aria-pressed": "false" },
        icon(), element("span", {}, nameOf(s)), key(at));
      button.addEventListener("click", () => press(i, s));
      buttons.push({ button, i, s });
      if (s.words) facts.append(element("p", {}, s.words));
      row.append(button, facts);
    }
    if (s.relevance !== null) facts.prepend(relevance(s.relevance, largest));
    if (loudness(s)) facts.append(element("p", { class: "faint" }, minus(loudness(s))));
    if (s.truth && nearness(s.truth)) facts.append(element("p", { class: "near" }, nearness(s.truth)));
    if (s.kind === "component" || s.kind === "segment") facts.append(...alone(i, s));
    const views = element("div", { class: "views", "aria-hidden": "true" });
    if (s.mask) views.append(element("div", { class: "thumb" },
      element("img", { src: clip.picture, alt: "", loading: "lazy", decoding: "async" }),
      element("img", { src: s.mask, alt: "", loading: "lazy", decoding: "async", class: "over" })));
    if (data.spectra[s.spectrum]) views.append(spectrum(data.spectra[s.spectrum]));
    if (views.childNodes.length) row.append(views);
    return row;
  }
  const icon = () => drawn("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" },
    drawn("path", { class: "to-play", d: PLAY }), drawn("path", { class: "to-pause", d: PAUSE }));
  const key = (at) => element("kbd", { "aria-hidden": "true" }, at < 9 ? String(at + 1) : "");
  function relevance(value, largest) {
    const bar = element("i", { class: value < 0 ? "bar against" : "bar" });
    bar.style.width = `${100 * Math.abs(value) / largest}%`;
    return element("p", { class: "relevance" }, "relevance ", element("b", {}, minus(two(value))),
      element("span", { class: "track" }, bar));
  }
  function alone(i, s) {
    if (s.target_probability === null) return [];
    return [element("p", { class: "faint" },
      `heard alone: ${i.target} ${two(s.target_probability)}`)];
  }
  // Low frequencies at the bottom, as in the mask beside it.
  function spectrum(levels) {
    return drawn("svg", { class: "spectrum", viewBox: `0 0 100 ${levels.length}`,
      preserveAspectRatio: "none" },
    drawn("path", { d: `M0 ${levels.length}${levels
      .map((level, k) => `H${level}V${levels.length - 1 - k}`).join("")}H0Z` }));
  }

  function open(c, by = null, of = null) {
    silence();
    clip = c;
    system = visible().find((i) => i.id === by) ?? visible()[0] ?? null;
    sound = [...(system?.sounds ?? []), ...clip.planted].find((s) => s.id === of) ?? clip.input;
    resting = 0;
    find("#page-name").textContent = clip.name;
    find("#page-about").replaceChildren(
      clip.truth.length ? element("span", { class: "tag" }, "truth: ", element("b", {}, clip.truth.join(", "))) : "",
      ` ${[clip.dataset, /^\d/.test(clip.fold) ? `fold ${clip.fold}` : clip.fold,
        spoken(clip.seconds), `${clip.rate_hz / 1000} kHz`].filter(Boolean).join(" \u00b7 ")}`);
    showPicture();
    showPlanted();
    showSystems();
    for (const [other, { link }] of rows) {
      if (other === c) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    rows.get(c).link.scrollIntoView({ block: "nearest" });
    reachable();
    show();
    remember();
  }

  // ---------------------------------------------------------------- playing

  // An element for each sound that was played. Plain elements only: a page that is opened as a file
  // may neither fetch sounds nor pass them through an audio graph.
  const players = new Map();
  const current = () => players.get(sound);
  let resting = 0; // the position in seconds while nothing plays

  function playerOf(s) {
    if (players.has(s)) return players.get(s);
    const player = element("audio", { preload: "none", src: s.file });
    player.loop = liked.loop;
    player.volume = volumeOf(s);
    for (const kind of ["playing", "pause", "durationchange"]) {
      player.addEventListener(kind, () => {
        if (s !== sound) return;
        if (player.paused) resting = player.currentTime; // paused by whomever, or at its end
        if (player.ended) say("The end");
        show();
      });
    }
    player.addEventListener("error", () => giveUp(s, player));
    players.set(s, player);
    surface.append(player);
    return player;
  }
  const volumeOf = (s) => between(liked.matched ? s.volume_matched : s.volume_true, 0, 1);
  const isPlaying = () => Boolean(current() && !current().paused);
  // A prototype is another sound, with a length of its own.
  const length = () =>
    (sound.kind === "prototype" && current()?.duration) || clip.seconds;
  const position = () => between(isPlaying() ? current().currentTime : resting, 0, length());

  function silence() {
    for (const player of players.values()) {
      player.pause();
      player.removeAttribute("src"); // browsers count what is open until it is let go
      player.load();
      player.remove();
    }
    players.clear();
  }
  function say(text) {
    find("#page-said").textContent = text;
    failed = null;
  }
  let failed = null; // the sound that is known not to play
  function fail(s) {
    say(`${nameOf(s)} cannot be played: its file is missing or damaged` +
      `${s.file.startsWith("data:") ? "" : ` (${s.file})`}.`);
    failed = s;
    resting = 0;
    show();
  }

  // Chromium does not find every place of a short FLAC and fails for good: the sound is begun anew.
  let begunAnew = null;
  function giveUp(s, player) {
    const elsewhere = player.currentTime > 0;
    player.remove();
    players.delete(s);
    if (s !== sound) return;
    if (!elsewhere || begunAnew === s) return fail(s);
    resting = 0;
    start(s, s);
  }

  // The new sound begins where the old one is; a prototype, of which this says nothing, at its begin.
  function start(s, anew = null) {
    begunAnew = anew;
    const from = s.kind === "prototype" && s !== sound ? 0 : position();
    const before = current();
    sound = s;
    if (s.file === null) {
      before?.pause();
      resting = from;
      say(`${nameOf(s)}: silence. ${s.words}`);
    } else {
      const player = playerOf(s);
      player.currentTime = from < length() - 0.05 ? from : 0;
      player.play().catch(() => {}); // paused before it began, or told by its error
      if (before !== player) before?.pause();
      say(`Playing ${nameOf(s)}${system && !isOfClip(s) ? ` of ${called(system)}` : ""}`);
      prepare();
    }
    show();
    remember();
  }
  function pause() {
    resting = position();
    current()?.pause();
    say("Paused");
    show();
  }
  const toggle = () => (isPlaying() ? pause() : start(sound));
  // The other sounds of the system and of the clip, which may be wanted next, are loaded now.
  function prepare() {
    const next = [...(system ? soundsOf(system).slice(0, 9) : []), ...clip.planted];
    for (const s of next) if (s.file !== null) playerOf(s).preload = "auto";
  }
  function press(i, s) {
    const same = s === sound && (s !== clip.input || i === system);
    const was = isPlaying();
    system = i;
    if (same && was) pause(); else start(s);
  }
  function seek(seconds) {
    begunAnew = null;
    resting = between(seconds, 0, length());
    if (current()) current().currentTime = resting;
    show();
  }
  // The same kind of sound of the next system.
  function compare(steps) {
    const offered = visible();
    if (offered.length < 2) return;
    const nth = system.sounds.filter((s) => s.kind === sound.kind).indexOf(sound);
    system = offered[(offered.indexOf(system) + steps + offered.length) % offered.length];
    const alike = system.sounds.filter((s) => s.kind === sound.kind);
    start(isOfClip(sound) ? sound : alike[nth] ?? alike[0] ?? soundsOf(system)[1] ?? sound);
    reveal();
  }
  function choose(nth) {
    const chosen = system ? soundsOf(system)[nth] : nth ? undefined : clip.input;
    if (!chosen) return;
    start(chosen);
    reveal();
  }
  // What was planted, one after the other.
  function chooseTruth() {
    const offered = clip.planted.filter((s) => s.file !== null);
    if (offered.length) start(offered[(offered.indexOf(sound) + 1) % offered.length]);
  }
  function reveal() {
    const button = buttons.find(({ i, s }) => i === system && s === sound)?.button;
    const folded = button?.closest("details");
    if (folded) folded.open = true;
    button?.closest("li").scrollIntoView({ block: "nearest" });
  }

  // ---------------------------------------------------------------- what changes while it plays

  function show() {
    const playing = isPlaying();
    const setPressed = (button, on) => button.setAttribute("aria-pressed", String(on));
    for (const { button, i, s } of buttons) {
      const chosen = i === system && s === sound;
      setPressed(button, chosen && playing);
      button.closest("li").classList.toggle("chosen", chosen);
    }
    setPressed(find("#page-input"), sound === clip.input && playing);
    for (const { button, s } of planted) setPressed(button, s === sound && playing);
    for (const c of all(".card")) c.classList.toggle("active", c.interpretation === system);
    const round = find("#page-play");
    round.setAttribute("aria-label", playing ? "Pause" : "Play");
    round.classList.toggle("on", playing);
    round.disabled = sound.file === null;
    find("#page-sound").textContent = nameOf(sound);
    find("#page-player").classList.toggle("failing", failed === sound);
    find("#page-of").textContent = failed === sound ? find("#page-said").textContent
      : sound.file === null ? sound.words
        : isOfClip(sound) || !system ? clip.name : called(system);
    playhead.hidden = sound.kind === "prototype";
    showMask();
    tick();
  }
  function tick() {
    const now = position();
    const share = clip.seconds ? between(now / clip.seconds, 0, 1) : 0;
    playhead.style.transform = `translateX(${share * surface.clientWidth}px)`;
    find("#page-played rect").setAttribute("width", share * clip.wave.length / 2);
    slider.max = length();
    slider.value = now;
    slider.setAttribute("aria-valuetext", `${spoken(now)} of ${spoken(length())}`);
    find("#page-time").textContent = `${clock(now)} / ${spoken(length())}`;
    numbersAt(now);
    if (isPlaying()) {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(tick);
    }
  }
  let frame = 0;

  // ---------------------------------------------------------------- hands

  const secondsAt = (event) => {
    const { left, width } = surface.getBoundingClientRect();
    return clip.seconds * (event.clientX - left) / width;
  };
  surface.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    surface.setPointerCapture(event.pointerId);
    seek(secondsAt(event));
  });
  surface.addEventListener("pointermove", (event) => {
    if (surface.hasPointerCapture(event.pointerId)) seek(secondsAt(event));
  });
  surface.addEventListener("dragstart", (event) => event.preventDefault());
  slider.addEventListener("input", () => seek(Number(slider.value)));
  find("#page-play").addEventListener("click", toggle);
  find("#page-input").addEventListener("click", () => press(system, clip.input));
  find("#page-previous").addEventListener("click", () => turn(-1));
  find("#page-next").addEventListener("click", () => turn(1));
  find("#page-past").addEventListener("click", (event) => {
    event.preventDefault(); // the address is for what is chosen
    find("#page-clip").focus();
  });
  find(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    find("#page-clip").focus();
  });

  function setFilter(name, value) {
    filters[name] = value;
    find(`[data-filter=${name}]`).value = value;
    filter();
    if (name === "system") open(clip);
    remember();
  }
  for (const field of all("[data-filter]")) {
    field.addEventListener("input", () => setFilter(field.dataset.filter, field.value));
  }
  find("#page-clear").addEventListener("click", () => {
    for (const name of FILTERS) setFilter(name, "");
    find("[data-filter=words]").focus();
  });

  const strength = find("#page-strength");
  strength.addEventListener("input", () => { like("strength", Number(strength.value)); showMask(); });
  const switches = {
    matched: () => players.forEach((player, s) => { player.volume = volumeOf(s); }),
    loop: () => players.forEach((player) => { player.loop = liked.loop; }),
    shortcuts: () => {},
  };
  for (const [name, act] of Object.entries(switches)) {
    const field = find(`#page-${name}`);
    field.checked = liked[name];
    field.addEventListener("change", () => { like(name, field.checked); act(); });
  }
  strength.value = liked.strength;
  const help = find("#page-keys");
  find("#page-help").addEventListener("click", () => help.showModal());

  // ---------------------------------------------------------------- keys

  slider.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -0.5, ArrowDown: -0.5, ArrowRight: 0.5, ArrowUp: 0.5 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    seek(position() + steps[event.key]);
  });
  find("#page-clips").addEventListener("keydown", (event) => {
    const here = shown.findIndex((c) => rows.get(c).link === document.activeElement);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: shown.length - 1 }[event.key];
    if (to === undefined || !shown[to] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    reachable(shown[to]);
    rows.get(shown[to]).link.focus();
  });
  const shortcuts = {
    " ": toggle,
    ArrowLeft: () => seek(position() - 0.5),
    ArrowRight: () => seek(position() + 0.5),
    n: () => turn(1),
    p: () => turn(-1),
    s: () => compare(1),
    S: () => compare(-1),
    t: chooseTruth,
    "?": () => help.showModal(),
  };
  // What the focused element does with a key itself stays its own.
  function taken(target, pressed) {
    if (target.closest("dialog")) return true;
    if (target.matches("input:not([type=checkbox], [type=range]), select, textarea")) return true;
    if (target.matches("[type=range]")) return pressed.startsWith("Arrow");
    return pressed === " " && target.matches("button, summary, [type=checkbox]");
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (!clip || !liked.shortcuts || taken(event.target, event.key)) return;
    if (/^[1-9]$/.test(event.key)) choose(Number(event.key) - 1);
    else if (shortcuts[event.key]) shortcuts[event.key]();
    else return;
    event.preventDefault();
  });

  // ---------------------------------------------------------------- begin

  find("#page-notes").append(...data.notes.map((note) => element("p", {}, note)));
  find("#page-notes").hidden = !data.notes.length;
  if (!clip) {
    trouble.textContent = "There are no clips on this page.";
    trouble.hidden = false;
    return;
  }
  find("#page-body").hidden = false;
  fillList();
  fillFilters();
  arrive();
  window.addEventListener("hashchange", arrive);
  narrow.addEventListener("change", unfold);
  new ResizeObserver(() => {
    const { offsetHeight: height } = find(".plot"); // what one scrolls to must not end below it
    document.documentElement.style.setProperty("--plot", `${height}px`);
    tick();
  }).observe(surface);
})();
