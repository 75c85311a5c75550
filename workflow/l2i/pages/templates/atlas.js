(() => {
  const atlas = window.atlas;
  const byId = (id) => document.getElementById(id);
  if (!atlas) {
    byId("page-trouble").hidden = false;
    return;
  }

  // ---------------------------------------------------------------- words

  const components = atlas.components;
  const nDecisions = atlas.n_decisions.reduce((sum, n) => sum + n, 0);
  const called = (number) => String(number).padStart(3, "0");

  function hertz(value) {
    return value < 1000 ? `${Math.round(value)} Hz` : `${(value / 1000).toFixed(value < 10000 ? 2 : 1)} kHz`;
  }

  function percent(share) {
    if (share === 0) return "0 %";
    return share < 0.0005 ? "under 0.05 %" : `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
  }

  const signed = (value) => value.toFixed(2).replace("-", "\u2212");
  const counted = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

  function comparedWithClip(decibels) {
    const amount = Math.abs(decibels).toFixed(0);
    if (amount === "0") return "as loud as the clip";
    return `${amount} dB ${decibels < 0 ? "softer" : "louder"} than the clip`;
  }

  // What is said of a component where it is not simply in use; empty where it is.
  function stateOf(component) {
    if (component.dead) return "never active in these clips";
    return component.selected ? "" : "never selected";
  }

  // ---------------------------------------------------------------- elements

  function line(values, width, height) {
    const step = width / Math.max(1, values.length - 1);
    return values.map((v, i) => `${i ? "L" : "M"}${(i * step).toFixed(1)} ${(height * (1 - v / 100)).toFixed(1)}`).join("");
  }

  const area = (values, width, height) => `${line(values, width, height)}V${height}H0Z`;

  // Spectra without axes, over one another; for the eye alone.
  function sketch(numbers, classes) {
    const svg = drawn("svg", { viewBox: "0 -3 256 104", preserveAspectRatio: "none", "aria-hidden": "true" });
    numbers.forEach((number, i) => {
      const filled = classes[i] === "area";
      const d = (filled ? area : line)(components[number].spectrum, 256, 100);
      svg.append(drawn("path", { class: classes[i], d }));
    });
    return svg;
  }

  // ---------------------------------------------------------------- sound

  const player = new Audio();
  let pressed = null;

  function release() {
    if (!pressed) return;
    pressed.setAttribute("aria-pressed", "false");
    pressed = null;
  }
  player.addEventListener("ended", release);
  player.addEventListener("error", () => {
    if (pressed) byId("page-count").textContent = "This sound cannot be read: copy the folder media with this page.";
    release();
  });

  function hush() {
    player.pause();
    release();
  }

  function playButton(component, what = "") {
    const button = element("button", { type: "button", class: "play", "aria-pressed": "false" });
    button.setAttribute("aria-label", `Play component ${called(component.number)}${what}`);
    button.append(
      drawn(
        "svg",
        { viewBox: "0 0 16 16", "aria-hidden": "true" },
        drawn("path", { class: "to-play", d: "M4.5 2.5v11l9-5.5z" }),
        drawn("path", { class: "to-pause", d: "M4 3h3v10H4zM9 3h3v10H9z" })
      )
    );
    button.addEventListener("click", () => {
      const again = pressed === button;
      hush();
      if (again) return;
      pressed = button;
      button.setAttribute("aria-pressed", "true");
      const { file, volume } = soundOf(component);
      player.src = file;
      player.volume = volume;
      player.play().catch(() => {}); // told by the event `error`
    });
    return button;
  }

  // Alone in a clip, or else the column by itself; nothing of an empty column.
  const soundOf = (component) => component.players.alone ?? component.players.steady;

  // ---------------------------------------------------------------- list

  const highest = (component) => (component.uses.length ? component.uses[0][1] : 0);
  const place = new Map(atlas.order.map((number, i) => [number, i]));
  const relevanceTo = (component, c) => (component.uses.find((use) => use[0] === c) || [c, 0])[1];
  const ORDERS = {
    energy: (a, b) => b.energy - a.energy,
    relevance: (a, b) => highest(b) - highest(a),
    selected: (a, b) => b.selected - a.selected,
    centroid: (a, b) => (a.centroid_hz ?? Infinity) - (b.centroid_hz ?? Infinity),
    alike: (a, b) => place.get(a.number) - place.get(b.number),
    number: () => 0,
  };
  const SHOWN = {
    all: ["all components", () => true],
    selected: ["selected ones", (c) => c.selected > 0],
    unselected: ["never selected ones", (c) => !c.selected && !c.dead],
    dead: ["never active ones", (c) => c.dead],
    grouped: ["those that are alike", (c) => c.group !== null],
  };
  atlas.groups.forEach((group, i) => {
    SHOWN[`group ${i}`] = [`group ${i + 1} of alike ones`, (c) => c.group === i];
  });

  const textOf = (component) =>
    [
      called(component.number),
      ...component.words,
      stateOf(component),
      component.learned_from ?? "",
      ...component.uses.map(([c]) => atlas.classes[c]),
      ...component.clips.map(([name]) => name),
    ]
      .join("\n")
      .toLowerCase();
  const texts = components.map(textOf);

  const cards = components.map((component) => {
    const state = stateOf(component);
    const named = component.uses.slice(0, 2).map(([c, mean]) => `${atlas.classes[c]} ${signed(mean)}`);
    const n = component.uses.length - named.length;
    const use = named.join(", ") + (n ? ` and ${counted(n, "more class", "more classes")}` : "");
    const card = element(
      "li",
      { class: state ? "card dim" : "card" },
      element(
        "h3",
        {},
        element("button", { type: "button", class: "open", onclick: () => show(component.number) }, called(component.number)),
        element("span", { class: "words" }, component.words.join(", "))
      ),
      soundOf(component) ? playButton(component) : element("span"),
      sketch([component.number], ["area"]),
      element("p", {}, `${percent(component.energy)} of the energy`),
      element("p", { class: "use" }, state || use || `selected ${counted(component.selected, "time")}, but relevant to no class on average`)
    );
    return card;
  });

  const tools = { words: byId("page-words"), class: byId("page-class"), show: byId("page-show"), sort: byId("page-sort") };
  tools.class.append(element("option", { value: "" }, "any"));
  const used = new Set(components.flatMap((component) => component.uses.map(([c]) => c)));
  atlas.classes.forEach((name, c) => {
    if (used.has(c)) tools.class.append(element("option", { value: c }, name));
  });
  for (const [key, [label, holds]] of Object.entries(SHOWN)) {
    if (components.some(holds)) tools.show.append(element("option", { value: key }, label));
  }

  let listed = components.map((component) => component.number);

  function list() {
    const words = tools.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const c = tools.class.value === "" ? null : Number(tools.class.value);
    const holds = SHOWN[tools.show.value][1];
    const found = components.filter(
      (component) =>
        holds(component) &&
        (c === null || component.uses.some((use) => use[0] === c)) &&
        words.every((word) => texts[component.number].includes(word))
    );
    const byRelevance = tools.sort.value === "relevance" && c !== null;
    found.sort(byRelevance ? (a, b) => relevanceTo(b, c) - relevanceTo(a, c) : ORDERS[tools.sort.value]);
    listed = found.map((component) => component.number);
    byId("page-cards").replaceChildren(...listed.map((number) => cards[number]));
    const all = found.length === components.length;
    byId("page-count").textContent = all
      ? counted(found.length, "component")
      : `${found.length} of ${counted(components.length, "component")}`;
    byId("page-clear").hidden = all;
  }

  for (const tool of Object.values(tools)) tool.addEventListener("input", list);
  tools.class.addEventListener("input", () => {
    if (tools.class.value !== "") tools.sort.value = "relevance";
    list();
  });
  byId("page-clear").addEventListener("click", () => {
    tools.words.value = tools.class.value = "";
    tools.show.value = "all";
    list();
    tools.words.focus();
  });

  // ---------------------------------------------------------------- one component

  const dialog = byId("page-component");

  function ticks() {
    const { low_hz: low, high_hz: high } = atlas.axis;
    const named = [50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000];
    return named.filter((hz) => hz >= low && hz <= high);
  }

  function across(hz, width) {
    const { low_hz: low, high_hz: high } = atlas.axis;
    return (width * Math.log(Math.max(hz, low) / low)) / Math.log(high / low);
  }

  // The spectrum with its axes: frequency in Hz, and the column relative to its largest value.
  function spectrum(component, other = null) {
    const narrow = window.matchMedia("(max-width: 46rem)").matches;
    const [width, height] = narrow ? [350, 190] : [960, 230];
    const [left, right, top, bottom] = [34, 10, 18, 24];
    const [w, h] = [width - left - right, height - top - bottom];
    const told = component.centroid_hz === null ? "empty" : `centroid at ${hertz(component.centroid_hz)}`;
    const peaks = component.peaks_hz.map(hertz).join(", ");
    const svg = drawn("svg", {
      class: "spectrum",
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": `Spectrum of component ${called(component.number)}: ${told}${peaks ? `, peaks at ${peaks}` : ""}`,
    });
    const plot = drawn("g", { transform: `translate(${left} ${top})` });
    for (const share of [0, 0.5, 1]) {
      const y = h * (1 - share);
      plot.append(drawn("line", { class: "grid", x1: 0, x2: w, y1: y, y2: y }));
      plot.append(drawn("text", { x: -7, y: y + 4, "text-anchor": "end" }, String(share)));
    }
    for (const hz of narrow ? ticks().filter((_, i) => i % 2) : ticks()) {
      const x = across(hz, w);
      plot.append(drawn("line", { class: "grid", x1: x, x2: x, y1: 0, y2: h }));
      const label = hz < 1000 ? `${hz} Hz` : `${hz / 1000} kHz`;
      plot.append(drawn("text", { x, y: h + 17, "text-anchor": x > w - 20 ? "end" : "middle" }, label));
    }
    plot.append(drawn("path", { class: "area", d: area(component.spectrum, w, h) }));
    if (other) plot.append(drawn("path", { class: "curve second", d: line(other.spectrum, w, h) }));
    if (component.centroid_hz !== null && !other) {
      const x = across(component.centroid_hz, w);
      plot.append(drawn("line", { class: "mark", x1: x, x2: x, y1: -4, y2: h }));
      plot.append(drawn("text", { class: "named", x: x + 5 > w - 60 ? x - 5 : x + 5, y: -6, "text-anchor": x + 5 > w - 60 ? "end" : "start" }, "centroid"));
    }
    svg.append(plot);
    return svg;
  }

  function facts(component) {
    const rows = [];
    if (component.centroid_hz !== null) {
      rows.push(["Centroid", `${hertz(component.centroid_hz)}, bandwidth ${hertz(component.bandwidth_hz)}`]);
      rows.push(["Peaks", component.peaks_hz.map(hertz).join(", ") || "none stands out"]);
      rows.push(["Flatness", `${component.flatness.toFixed(2)}: ${component.words[1]}`]);
    }
    rows.push(["Energy", `${percent(component.energy)} of a clip's, on average`]);
    rows.push(["Selected", `in ${component.selected} of ${counted(nDecisions, "decision")}`]);
    if (component.learned_from !== null) rows.push(["Learned from", component.learned_from]);
    return element("dl", { class: "facts" }, ...rows.map(([name, text]) => element("div", {}, element("dt", {}, name), element("dd", {}, text))));
  }

  function audio(found, label) {
    if (!found) return element("p", { class: "faint" }, "Silent here.");
    const player = element("audio", { controls: "", preload: "none", src: found.file, "aria-label": label });
    player.volume = found.volume;
    return player;
  }

  function heard(component) {
    const { players, excerpt } = component;
    const figure = (title, small, shown, found) =>
      element("figure", {}, element("figcaption", {}, title, element("span", {}, small)), ...shown, audio(found, title));
    const shape = sketch([component.number], ["area"]);
    shape.classList.add("shape");
    const steady = figure("The column by itself", "steady noise of its spectrum", [shape], players.steady);
    if (!excerpt) {
      const why = component.dead
        ? "It is active in none of these clips; what its column stands for can be heard all the same."
        : "It holds no energy in any of these clips; what its column stands for can be heard all the same.";
      return [element("h3", {}, "Sound"), element("p", {}, why), element("div", { class: "sounds" }, steady)];
    }
    const until = excerpt.start_seconds + excerpt.seconds;
    const course = drawn("svg", { viewBox: "0 -2 320 104", preserveAspectRatio: "none", "aria-hidden": "true" });
    course.append(drawn("path", { class: "area", d: area(excerpt.activation, 320, 100) }));
    const picture = (alt, ...over) =>
      element("div", { class: "picture" }, element("img", { src: excerpt.picture, alt, loading: "lazy" }), ...over);
    const mask = element("img", { src: excerpt.mask, alt: "", loading: "lazy" });
    const loud = excerpt.gain_db === null ? "" : comparedWithClip(excerpt.gain_db);
    const clip = excerpt.link ? element("a", { href: excerpt.link }, excerpt.clip) : excerpt.clip;
    const when = `, a typical clip, from ${excerpt.start_seconds.toFixed(1)} to ${until.toFixed(1)} s`;
    return [
      element("h3", {}, "Sound"),
      element("p", {}, "In ", clip, `${when}. Below the pictures is the course of the activation.`),
      element(
        "div",
        { class: "sounds" },
        figure("The component alone", loud, [picture("Spectrogram of the clip, dark where it is not the component", mask), course], players.alone),
        figure("The clip", "as it is", [picture("Spectrogram of the clip"), course.cloneNode(true)], players.clip),
        steady
      ),
    ];
  }

  function bars(rows) {
    return element("ol", {}, ...rows.map(([label, number, share]) => {
      const row = element("li", {}, element("span", { class: "number" }, number), label);
      if (share !== null) {
        const bar = element("span", { class: "bar", "aria-hidden": "true" });
        bar.style.width = `${Math.max(0, 100 * share).toFixed(1)}%`;
        row.append(bar);
      }
      return row;
    }));
  }

  function lists(component) {
    const uses = component.uses.map(([c, mean, rate]) => [
      atlas.classes[c],
      `${signed(mean)}, selected in ${Math.round(rate * atlas.n_decisions[c])} of ${atlas.n_decisions[c]}`,
      mean,
    ]);
    const clips = component.clips.map(([name, share, link]) => [
      link ? element("a", { href: link }, name) : name,
      percent(share),
      share,
    ]);
    const alike = component.alike.map(([number, cosine, correlation]) => {
      const other = components[number];
      const go = element("button", { type: "button", class: "chip", onclick: () => show(number) }, called(number));
      const label = element("span", {}, go, " ", other.words.join(", "));
      return [label, `${cosine.toFixed(2)}, ${signed(correlation)}`, null];
    });
    const section = (title, rows, none, ...under) => element("div", {}, element("h3", {}, title), ...(rows.length ? [...under, bars(rows)] : [element("p", {}, none)]));
    const group = component.group === null ? "" : ` (group ${component.group + 1})`;
    return element(
      "div",
      { class: "lists" },
      section("Classes that use it", uses, component.dead ? "None: it is never active." : "None: its mean relevance is too small for every class."),
      section("Clips in which it is strongest", clips, "None: it holds no energy in any of the clips."),
      section(`Most alike${group}`, alike, "There is no other component.", element("p", { class: "faint" }, "Cosine of spectra, correlation of activations"))
    );
  }

  function neighbour(number, step) {
    const at = listed.indexOf(number);
    return at < 0 ? listed[0] : listed[(at + step + listed.length) % listed.length];
  }

  let current = null;

  function show(number) {
    const component = components[number];
    if (!component) return;
    hush();
    current = number;
    const words = [component.words.join(", "), stateOf(component)].filter(Boolean).join(", ");
    const turn = (step, sign, label) =>
      element("button", { type: "button", "aria-label": label, title: label, onclick: () => turnTo(step) }, sign);
    const turning = listed.length > 1 ? [turn(-1, "\u2039", "Previous component"), turn(1, "\u203a", "Next component")] : [];
    dialog.replaceChildren(
      element(
        "div",
        { class: "head" },
        element("h2", { id: "page-name", tabindex: "-1" }, `Component ${called(number)}`, element("span", {}, words)),
        ...turning,
        element("button", { type: "button", class: "close", onclick: () => dialog.close() }, "Close")
      ),
      element("div", { class: "body" }, spectrum(component), facts(component), ...heard(component), lists(component))
    );
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    byId("page-name").focus();
    history.replaceState(null, "", `#c${called(number)}`);
  }

  function turnTo(step) {
    if (listed.length) show(neighbour(current, step));
  }

  dialog.addEventListener("close", () => {
    for (const each of dialog.querySelectorAll("audio")) each.pause();
    history.replaceState(null, "", location.pathname + location.search);
    const card = cards[current];
    if (card.isConnected) card.querySelector(".open").focus();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // the backdrop
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("audio")) return;
    if (event.key === "ArrowLeft") turnTo(-1);
    if (event.key === "ArrowRight") turnTo(1);
  });
  // One sound at a time.
  document.addEventListener("play", (event) => {
    if (event.target !== player) hush();
    for (const each of document.querySelectorAll("audio")) if (each !== event.target) each.pause();
  }, true);

  // ---------------------------------------------------------------- those that are alike

  const bytes = Uint8Array.from(atob(atlas.similarity), (letter) => letter.charCodeAt(0));
  const n = components.length;

  function similarity(a, b) {
    if (a === b) return 1;
    const [i, j] = a < b ? [a, b] : [b, a];
    return bytes[i * n - (i * (i + 1)) / 2 + j - i - 1] / 255;
  }

  function member(number) {
    const component = components[number];
    const item = element("li");
    if (soundOf(component)) item.append(playButton(component));
    item.append(element("button", { type: "button", class: "chip", onclick: () => show(number), "aria-label": `Component ${called(number)}` }, called(number)));
    return item;
  }

  function groups() {
    const inGroups = atlas.groups.reduce((sum, group) => sum + group.members.length, 0);
    byId("page-alike-lead").textContent = atlas.groups.length
      ? `${counted(atlas.groups.length, "group")}, of ${counted(inGroups, "component")} together. What differs most in the pictures are low frequencies, which few bins make up; play them to judge.`
      : "No two components are alike enough to make a group.";
    atlas.groups.forEach(({ members: group, cosine, correlation }, i) => {
      const energy = group.reduce((sum, number) => sum + components[number].energy, 0);
      const uses = new Set(group.flatMap((number) => components[number].uses.slice(0, 1).map(([c]) => atlas.classes[c])));
      const about = [`cosine at least ${cosine.toFixed(2)}, correlation of activations at least ${signed(correlation)}`, `${percent(energy)} of the energy together`];
      if (uses.size) about.push(`first for ${[...uses].join(", ")}`);
      const heading = element("h3", {}, `Group ${i + 1}`);
      byId("page-groups").append(
        element(
          "div",
          { class: "group" },
          sketch(group, group.map((_, at) => ["curve", "curve second", "curve third"][Math.min(at, 2)])),
          element("div", {}, heading, element("p", {}, about.join("; ")), element("ul", { class: "members", "aria-label": `Group ${i + 1}` }, ...group.map(member)))
        )
      );
    });
  }

  const map = byId("page-map");

  function rgb(name) {
    const probe = element("span");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const parts = getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
    probe.remove();
    return parts;
  }

  function paint() {
    map.width = map.height = n;
    const [from, to] = [rgb("--paper"), rgb("--accent")];
    const context = map.getContext("2d");
    const image = context.createImageData(n, n);
    atlas.order.forEach((a, row) => {
      atlas.order.forEach((b, column) => {
        const shade = similarity(a, b) ** 2; // so that what is alike stands out
        const at = 4 * (row * n + column);
        for (let part = 0; part < 3; part++) image.data[at + part] = from[part] + shade * (to[part] - from[part]);
        image.data[at + 3] = 255;
      });
    });
    context.putImageData(image, 0, 0);
  }

  function pairAt(event) {
    const box = map.getBoundingClientRect();
    const at = (offset, size) => atlas.order[Math.min(n - 1, Math.max(0, Math.floor((offset / size) * n)))];
    return [at(event.clientY - box.top, box.height), at(event.clientX - box.left, box.width)];
  }

  map.addEventListener("pointermove", (event) => {
    const [a, b] = pairAt(event);
    map.title = `${called(a)} and ${called(b)}: cosine ${similarity(a, b).toFixed(2)}`;
  });
  map.addEventListener("click", (event) => {
    const [a, b] = pairAt(event);
    const parts = [spectrum(components[a], components[b]), `Components ${called(a)} (filled) and ${called(b)} (line): cosine ${similarity(a, b).toFixed(2)}`];
    const members = element("ul", { class: "members" }, member(a), ...(a === b ? [] : [member(b)]));
    byId("page-pair").replaceChildren(...parts);
    byId("page-pair").append(members);
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);

  // ---------------------------------------------------------------- begin

  byId("page-body").hidden = false;
  list();
  groups();
  paint();
  const open = () => {
    const found = location.hash.match(/^#c(\d+)$/);
    if (found) show(Number(found[1]));
  };
  window.addEventListener("hashchange", open);
  open();
})();
