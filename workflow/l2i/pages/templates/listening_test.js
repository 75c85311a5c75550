(() => {
  const find = (selector) => document.querySelector(selector);
  const inside = (id) => JSON.parse(document.getElementById(id).textContent);
  const between = (value, low, high) => Math.max(low, Math.min(high, value));
  const data = inside("page-data");
  const SOUNDS = ["input", "A", "B"];
  const LABELS = ["A", "B"];
  const NAMES = { input: "Input", A: "A", B: "B" };

  // ---------------------------------------------------------------- what is kept

  // By test and participant, so that neither another test nor another participant at the same
  // machine finds these answers.
  const placeOf = (participant) => `listening-test/${data.test}/${participant}`;
  let unkept = false; // whether the browser refuses to keep anything
  function kept(participant) {
    try {
      return JSON.parse(localStorage.getItem(placeOf(participant)) ?? "null");
    } catch {
      tellUnkept();
      return null;
    }
  }
  function keep() {
    if (participant === null) return;
    try {
      localStorage.setItem(placeOf(participant), JSON.stringify(state));
    } catch {
      tellUnkept();
    }
  }
  function tellUnkept() {
    unkept = true;
    find("#page-unkept").hidden = false;
  }
  window.addEventListener("beforeunload", (event) => {
    if (unkept && participant !== null && !saved) event.preventDefault();
  });

  let participant = null;
  let trials = []; // of the participant: the stimulus, and of its two sounds which is A
  let state = null; // step, finished, answers by stimulus
  let saved = false;
  const unanswered = () =>
    ({ rating: {}, rated_at: {}, heard: { input: 0, A: 0, B: 0 }, seconds: 0 });
  const answerOf = ({ stimulus }) => (state.answers[stimulus.id] ??= unanswered());
  const isRated = (trial) => LABELS.every((label) => label in answerOf(trial).rating);

  // ---------------------------------------------------------------- steps

  // Step 0 sets the volume, steps 1 to n are trials, n + 1 asks whether that is all.
  const trial = () => (state && !state.finished ? trials[state.step - 1] ?? null : null);
  const sectionOf = () => {
    if (participant === null) return "start";
    if (state.finished) return "end";
    return state.step === 0 ? "level" : trial() ? "trial" : "last";
  };

  function show({ focus = true } = {}) {
    silence();
    const section = sectionOf();
    for (const each of document.querySelectorAll("main > section")) {
      each.hidden = each.id !== `step-${section}`;
    }
    find("#page-missing").textContent = "";
    find("#page-nav").hidden = section === "start" || section === "end";
    find("#page-back").hidden = section === "level";
    find("#page-next").textContent = section === "last" ? "Finish" : "Next";
    const progress = find("#page-progress");
    progress.hidden = section === "start";
    if (section !== "start") {
      find("#page-who").textContent = `Participant ${participant}`;
      progress.max = trials.length;
      progress.value = trials.filter(isRated).length;
    }
    if (section === "level") prepareLevel();
    if (section === "trial") showTrial();
    if (section === "end") showEnd();
    if (focus) {
      find(`#step-${section} h2`).focus();
      window.scrollTo(0, 0);
    }
  }
  function turn(steps) {
    state.step = between(state.step + steps, 0, trials.length + 1);
    keep();
    show();
  }
  // What is missing before one may go on; empty if nothing.
  function missing() {
    if (sectionOf() === "level") return deck.heard.noise > 0.5 ? "" : "Play the noise first.";
    if (sectionOf() === "last") {
      const open = trials.findIndex((each) => !isRated(each));
      return open < 0 ? "" : `Recording ${open + 1} is not rated yet.`;
    }
    const unheard = SOUNDS.filter((name) => !isHeard(name));
    if (unheard.length) return `Listen to all of ${listed(unheard)} first.`;
    const unrated = LABELS.filter((label) => !(label in answerOf(trial()).rating));
    return unrated.length ? `Rate ${listed(unrated)} first.` : "";
  }
  const listed = (names) => {
    const said = names.map((name) => (name === "input" ? "the input" : name));
    return said.length < 2 ? said.join("") : `${said.slice(0, -1).join(", ")} and ${said.at(-1)}`;
  };
  find("#page-back").addEventListener("click", () => turn(-1));
  find("#page-next").addEventListener("click", () => {
    const lacks = missing();
    find("#page-missing").textContent = lacks;
    if (lacks) return;
    if (sectionOf() === "last") {
      state.finished = new Date().toISOString();
      keep();
      show();
    } else turn(1);
  });

  // ---------------------------------------------------------------- who takes part

  function participantIn(text) {
    const number = /^\s*\d+\s*$/.test(text) ? Number(text) : NaN;
    return number >= 1 && number <= data.participants.length ? number : null;
  }
  function refuse(text) {
    find("#page-number-trouble").textContent =
      `${text.trim() ? `${text.trim()} is no participant` : "Give your number"}: ` +
      `numbers are 1 to ${data.participants.length}.`;
    find("#page-participant").setAttribute("aria-invalid", "true");
  }
  function begin(number) {
    participant = number;
    trials = data.participants[number - 1].map(([nth, swapped]) =>
      ({ stimulus: data.stimuli[nth], swapped }));
    const before = kept(number);
    state = before ?? { step: 0, finished: null, answers: {} };
    keep();
    history.replaceState(null, "", `#participant=${number}`); // a reload goes on from here
    show();
    if (before) say("Your answers so far are kept.");
  }
  find("#page-begin").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = find("#page-participant").value;
    const number = participantIn(text);
    if (number === null) refuse(text); else begin(number);
  });
  function arrive() {
    const asked = new URLSearchParams(location.search).get("participant");
    const before = new URLSearchParams(location.hash.slice(1)).get("participant");
    const number = participantIn(before ?? asked ?? "");
    try {
      localStorage.getItem("listening-test");
    } catch {
      tellUnkept();
    }
    if (number !== null && !unkept && kept(number)) return begin(number);
    show({ focus: false });
    if (number !== null) find("#page-participant").value = number;
    else if ((before ?? asked) !== null) refuse(before ?? asked);
  }

  // ---------------------------------------------------------------- playing

  // All sounds of a trial run together and one of them is let through, so that switching keeps the
  // place to the sample.
  const FADE = 0.008; // seconds, so that switching does not click
  const TICK = 50; // milliseconds
  let audio = null;
  const deck = { buffers: {}, heard: {}, chosen: null, nodes: null, began: 0, resting: 0, last: 0 };

  function bufferOf(text) {
    audio ??= new AudioContext();
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return audio.decodeAudioData(bytes.buffer);
  }
  let loading = null; // the sounds of what is shown, once decoded
  function load(texts, heard) {
    Object.assign(deck, { buffers: {}, heard, chosen: null, resting: 0 });
    // Decoded when first wanted: browsers want a press of a button before they make sounds.
    const decode = async () => {
      const decoded = await Promise.all(Object.entries(texts)
        .map(async ([name, text]) => [name, await bufferOf(text)]));
      return Object.fromEntries(decoded);
    };
    loading = () => (loading.done ??= decode());
  }
  const lengthOf = () => deck.length ?? 0;
  function position() {
    if (!deck.nodes) return deck.resting;
    const passed = audio.currentTime - deck.began;
    return deck.loops ? passed % lengthOf() : Math.min(passed, lengthOf());
  }
  async function play(name) {
    find("#page-trouble").hidden = true;
    const wanted = loading;
    try {
      const buffers = await wanted();
      if (wanted !== loading) return; // another step is shown by now
      deck.buffers = buffers;
      deck.length = Math.max(...Object.values(buffers).map((buffer) => buffer.duration));
      await audio.resume();
    } catch {
      find("#page-trouble").textContent =
        "The sound cannot be played by this browser. Open this page in a current Firefox, Chrome, Edge or Safari.";
      find("#page-trouble").hidden = false;
      return;
    }
    deck.chosen = name;
    if (deck.nodes) for (const [other, { gain }] of Object.entries(deck.nodes)) {
      gain.gain.setTargetAtTime(other === name ? 1 : 0, audio.currentTime, FADE / 3);
    } else start();
    say(`Playing ${NAMES[name] ?? "noise"}`);
    showPlaying();
  }
  function start() {
    const from = deck.resting < lengthOf() - 0.05 ? deck.resting : 0;
    deck.loops = find("#page-loop").checked && sectionOf() === "trial";
    deck.nodes = {};
    for (const [name, buffer] of Object.entries(deck.buffers)) {
      const source = new AudioBufferSourceNode(audio, { buffer, loop: deck.loops });
      const gain = new GainNode(audio, { gain: name === deck.chosen ? 1 : 0 });
      source.connect(gain).connect(audio.destination);
      source.start(0, from);
      deck.nodes[name] = { source, gain };
    }
    deck.began = audio.currentTime - from;
    deck.last = audio.currentTime;
  }
  function stop() {
    if (!deck.nodes) return;
    count();
    deck.resting = position();
    for (const { source } of Object.values(deck.nodes)) source.stop();
    deck.nodes = null;
    showPlaying();
  }
  function silence() {
    stop();
    Object.assign(deck, { buffers: {}, chosen: null, resting: 0, length: undefined });
    loading = null;
  }
  // Seconds for which each sound was heard; time since the last count goes to the one that is on.
  function count() {
    const now = Math.min(audio.currentTime, deck.loops ? Infinity : deck.began + lengthOf());
    const before = trial() && isHeard(deck.chosen);
    deck.heard[deck.chosen] = (deck.heard[deck.chosen] ?? 0) + Math.max(0, now - deck.last);
    deck.last = now;
    if (trial() && !before && isHeard(deck.chosen)) {
      keep();
      showRatings();
    }
  }
  setInterval(() => {
    if (!deck.nodes) return;
    count();
    if (!deck.loops && audio.currentTime >= deck.began + lengthOf()) {
      stop();
      deck.resting = 0;
      say("The end");
    }
    showPlaying();
  }, TICK);
  // All of it, in sum; what browsers lose at both ends does not count.
  const isHeard = (name) =>
    (answerOf(trial()).heard[name] ?? 0) >= trial().stimulus.seconds - 0.15;
  const press = (name) => {
    if (deck.nodes && deck.chosen === name) {
      stop();
      say("Paused");
    } else play(name);
  };
  function seek(seconds) {
    const playing = Boolean(deck.nodes);
    stop();
    deck.resting = between(seconds, 0, trial().stimulus.seconds);
    if (playing) start();
    showPlaying();
  }
  function say(text) {
    find("#page-said").textContent = text;
  }

  function prepareLevel() {
    load({ noise: inside("sounds-level").noise }, { noise: 0 });
    showPlaying();
  }
  find("#page-noise").addEventListener("click", () => press("noise"));

  // ---------------------------------------------------------------- a trial

  const buttons = {};
  function makeButtons() {
    const icon = () => drawn("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" },
      drawn("path", { class: "to-play", d: "M4 2.5v11l9-5.5z" }),
      drawn("path", { class: "to-pause", d: "M4 3h3v10H4zM9 3h3v10H9z" }));
    for (const name of SOUNDS) {
      buttons[name] = element("button",
        { type: "button", class: "play", "aria-pressed": "false", "data-sound": name,
          onclick: () => press(name) },
        icon(), NAMES[name], element("span", { class: "heard" }, "\u2713"));
      find("#page-buttons").append(buttons[name]);
    }
  }
  function showTrial() {
    const { stimulus, swapped } = trial();
    const [one, two] = inside(`sounds-${stimulus.id}`).sounds;
    const [A, B] = swapped ? [two, one] : [one, two];
    const answer = answerOf(trial());
    load({ input: inside(`sounds-${stimulus.id}`).input, A, B }, answer.heard);
    find("#page-recording").textContent = `Recording ${state.step} of ${trials.length}`;
    find("#page-class").textContent = stimulus.class;
    find("#page-position").max = stimulus.seconds;
    const silent = LABELS.filter((_, i) => stimulus.silent[swapped ? 1 - i : i]);
    find("#page-silence").textContent = silent.length
      ? `${listed(silent)} ${silent.length > 1 ? "are" : "is"} silence: nothing was found to play. ` +
        "Rate silence like any other sound."
      : "";
    showRatings();
    showPlaying();
  }
  function showRatings() {
    const { rating } = answerOf(trial());
    const ready = SOUNDS.every(isHeard);
    const unheard = SOUNDS.filter((name) => !isHeard(name));
    find("#page-unheard").textContent = ready ? "" :
      `You can rate once you have heard all of ${listed(unheard)}.`;
    for (const label of LABELS) {
      const field = find(`#rating-${label}`);
      const given = rating[label];
      field.disabled = find(`#keep-${label}`).disabled = !ready;
      field.value = given ?? 50;
      field.setAttribute("aria-valuetext", given === undefined ? "not rated" : String(given));
      find(`#value-${label}`).textContent = given ?? "not rated";
      find(`[data-label=${label}]`).classList.toggle("rated", given !== undefined);
    }
    for (const name of SOUNDS) {
      buttons[name].classList.toggle("done", isHeard(name));
      buttons[name].setAttribute("aria-label", NAMES[name] + (isHeard(name) ? ", heard" : ""));
    }
    find("#page-progress").value = trials.filter(isRated).length;
  }
  function rate(label, value) {
    const answer = answerOf(trial());
    answer.rating[label] = value;
    answer.rated_at[label] = new Date().toISOString();
    find("#page-missing").textContent = "";
    keep();
    showRatings();
  }
  for (const label of LABELS) {
    const field = find(`#rating-${label}`);
    field.addEventListener("input", () => rate(label, Number(field.value)));
    find(`#keep-${label}`).addEventListener("click", () => {
      rate(label, 50);
      field.focus(); // the button is gone
    });
  }
  function showPlaying() {
    const on = Boolean(deck.nodes);
    const setPressed = (button, name) =>
      button.setAttribute("aria-pressed", String(on && deck.chosen === name));
    setPressed(find("#page-noise"), "noise");
    if (!trial()) return;
    for (const name of SOUNDS) {
      setPressed(buttons[name], name);
      buttons[name].classList.toggle("chosen", deck.chosen === name);
    }
    const { seconds } = trial().stimulus;
    const now = between(position(), 0, seconds);
    find("#page-position").value = now;
    find("#page-position").setAttribute("aria-valuetext", `${now.toFixed(1)} of ${seconds.toFixed(1)} s`);
    find("#page-time").textContent = `${now.toFixed(1)} / ${seconds.toFixed(1)} s`;
  }
  find("#page-position").addEventListener("input", (event) => seek(Number(event.target.value)));
  find("#page-loop").addEventListener("change", () => {
    if (!deck.nodes) return;
    stop();
    start();
    showPlaying();
  });
  // Seconds that a trial was looked at.
  let looked = performance.now();
  setInterval(() => {
    const now = performance.now();
    if (trial() && !document.hidden) answerOf(trial()).seconds += (now - looked) / 1000;
    looked = now;
  }, 250);
  window.addEventListener("pagehide", keep);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !trial()) return;
    const name = { 1: "input", a: "A", b: "B" }[event.key.toLowerCase()];
    if (name) press(name);
    else if (event.key === " " && !event.target.matches("button, [type=checkbox]")) {
      press(deck.chosen ?? "input");
    } else return;
    event.preventDefault();
  });

  // ---------------------------------------------------------------- the end

  // As spreadsheets want it, which would take some texts for formulas: see l2i.tables.
  const cell = (value) => {
    const text = /^'*[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  function csv() {
    const systems = JSON.parse(atob(data.key)); // of the two sounds of each stimulus
    const rows = trials.flatMap((each, i) => LABELS.map((label, which) => {
      const { stimulus, swapped } = each;
      const answer = answerOf(each);
      return [data.test, participant, i + 1, stimulus.id, stimulus.class,
        systems[stimulus.id][swapped ? 1 - which : which], label, answer.rating[label],
        Number(answer.seconds.toFixed(1)), answer.rated_at[label], false];
    }));
    const head = ["test", "participant", "position", "stimulus", "class", "system", "label", "rating",
      "seconds", "rated_at", "simulated"];
    return [head, ...rows].map((row) => `${row.map(cell).join(",")}\n`).join("");
  }
  function showEnd() {
    find("#page-csv").value = csv();
  }
  find("#page-save").addEventListener("click", () => {
    const url = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
    const name = `ratings_${data.test}_${participant}.csv`;
    element("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    saved = true;
    find("#page-saved").textContent = `Saved as ${name} where your browser puts downloads.`;
  });
  find("#page-copy").addEventListener("click", async () => {
    const field = find("#page-csv");
    try {
      await navigator.clipboard.writeText(field.value);
    } catch { // of a page that is a file, or without permission
      field.select();
      document.execCommand("copy");
    }
    saved = true;
    find("#page-saved").textContent = "Copied. Paste it into a message or a file, as it is.";
  });

  // ---------------------------------------------------------------- begin

  makeButtons();
  arrive();
})();
