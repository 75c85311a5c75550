
"use strict";
(() => {
  const find = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const { root, edges } = JSON.parse(find("#page-data").textContent);
  const drawing = find("#page-drawing");
  const panel = find("#page-panel");
  const status = find("#page-status");
  const search = find("#page-search");
  const boxes = all(".node", drawing);
  const lines = all(".lines path", drawing);
  const records = new Map(all("details.record").map((r) => ["#" + r.dataset.node, r]));
  const record = (i) => records.get(boxes[i].getAttribute("href"));
  const inputs = boxes.map(() => []);
  const made = boxes.map(() => []);
  edges.forEach(([from, to]) => { inputs[to].push(from); made[from].push(to); });
  const [left, top, width, height] = drawing.getAttribute("viewBox").split(" ").map(Number);
  const corners = boxes.map((box) => {
    const { e, f } = box.transform.baseVal.consolidate().matrix;
    return { x: e, y: f };
  });
  const size = find(".box", drawing).getBBox();
  document.documentElement.classList.add("js");
  find(".tools").hidden = false;

  // ---------------------------------------------------------------- what of the plane is seen

  const LARGEST = 3; // pixels on the screen for a pixel of the drawing
  const view = { x: 0, y: 0, scale: 1 }; // upper left, in the drawing
  const screen = () => drawing.getBoundingClientRect();
  const whole = () => Math.min(screen().width / width, screen().height / height, 1.25);
  const between = (value, low, high) => Math.max(low, Math.min(high, value));

  const paper = window.matchMedia("print"); // which shows all
  const show = (...box) => drawing.setAttribute("viewBox", box.map((v) => v.toFixed(2)).join(" "));
  function look() {
    const { width: w, height: h } = screen();
    if (paper.matches) show(left, top, width, height);
    if (paper.matches || !w || !h) return;
    // The drawing never leaves the window altogether.
    view.x = between(view.x, left - 0.7 * w / view.scale, left + width - 0.3 * w / view.scale);
    view.y = between(view.y, top - 0.7 * h / view.scale, top + height - 0.3 * h / view.scale);
    show(view.x, view.y, w / view.scale, h / view.scale);
  }
  function centre(x, y, scale = view.scale) {
    const { width: w, height: h } = screen();
    Object.assign(view, { x: x - w / scale / 2, y: y - h / scale / 2, scale });
    look();
  }
  const showAll = () => centre(left + width / 2, top + height / 2, whole());
  const middle = (i) => [corners[i].x + size.width / 2, corners[i].y + size.height / 2];

  // About a point of the screen that stays where it is; whether there was anything to do.
  function zoom(factor, clientX, clientY) {
    const at = screen();
    const [dx, dy] = [(clientX ?? at.left + at.width / 2) - at.left,
                      (clientY ?? at.top + at.height / 2) - at.top];
    const scale = between(view.scale * factor, Math.min(whole(), view.scale), LARGEST);
    if (scale === view.scale) return false;
    view.x += dx / view.scale - dx / scale;
    view.y += dy / view.scale - dy / scale;
    view.scale = scale;
    look();
    return true;
  }
  function move(dx, dy) {
    view.x -= dx / view.scale;
    view.y -= dy / view.scale;
    look();
  }
  function reveal(i) {
    const { width: w, height: h } = screen();
    const margin = 30 / view.scale;
    const { x, y } = corners[i];
    view.x = between(view.x, x + size.width + margin - w / view.scale, x - margin);
    view.y = between(view.y, y + size.height + margin - h / view.scale, y - margin);
    look();
  }
  // All at once where that can be read, else the result and what is nearest to it.
  function begin() {
    if (whole() >= 0.5) { showAll(); return; }
    const scale = 0.7;
    const [x, y] = middle(root);
    centre(x - Math.max(0, screen().width / scale / 2 - size.width * 0.75), y, scale);
  }

  // ---------------------------------------------------------------- the box that is chosen

  function reach(start, next) {
    const seen = new Set();
    for (const todo = [start]; todo.length;) {
      for (const i of next[todo.pop()]) if (!seen.has(i)) { seen.add(i); todo.push(i); }
    }
    return seen;
  }
  const counted = (n, one, many) => `${n} ${n === 1 ? one : many}`;
  const element = (name, text = "", className = "") =>
    Object.assign(document.createElement(name), { textContent: text, className });

  function choose(i) {
    const rests = reach(i, inputs);
    const makes = reach(i, made);
    drawing.classList.add("chosen");
    boxes.forEach((box, j) => {
      box.classList.toggle("is-chosen", j === i);
      box.classList.toggle("is-rest", rests.has(j));
      box.classList.toggle("is-made", makes.has(j));
      if (j === i) box.setAttribute("aria-current", "true"); else box.removeAttribute("aria-current");
    });
    edges.forEach(([from, to], e) => {
      const before = rests.has(from) && (to === i || rests.has(to));
      const after = makes.has(to) && (from === i || makes.has(from));
      lines[e].classList.toggle("is-rest", before);
      lines[e].classList.toggle("is-made", after);
      if (before || after) lines[e].parentNode.append(lines[e]); // above the others
    });
    const relation = element("p", "", "relation");
    relation.append(
      element("span", "Rests on", "rests"), ` ${rests.size} · `,
      element("span", "went into", "makes"), ` ${makes.size} of the boxes drawn`);
    const name = find(".name", record(i)).textContent;
    const close = element("button", "\u00d7", "close");
    close.type = "button";
    close.setAttribute("aria-label", "Close");
    close.addEventListener("click", () => { letGo(); drawing.focus({ preventScroll: true }); });
    panel.replaceChildren(
      close, element("h3", name), find(".path", record(i)).cloneNode(true),
      ...all("summary > .state", record(i)).map((state) => state.cloneNode(true)),
      relation, ...[...find(".body", record(i)).cloneNode(true).childNodes]);
    panel.scrollTop = 0;
    status.textContent = `${name}: rests on ${counted(rests.size, "box", "boxes")}, ` +
      `went into ${makes.size}.`;
    focusable(i);
    reveal(i); // the panel may cover where it was
    panel.scrollIntoView({ block: "nearest" });
  }
  function letGo() {
    drawing.classList.remove("chosen");
    boxes.forEach((box) => {
      box.classList.remove("is-chosen", "is-rest", "is-made");
      box.removeAttribute("aria-current");
    });
    lines.forEach((line) => line.classList.remove("is-rest", "is-made"));
    panel.replaceChildren();
    status.textContent = "";
  }
  // Tab stops at one box; arrow keys go on from there.
  function focusable(i) {
    boxes.forEach((box, j) => box.setAttribute("tabindex", j === i ? "0" : "-1"));
  }
  function step(i, key) {
    const away = (j) => Math.abs(corners[j].y - corners[i].y);
    const nearest = (ends) => [...ends].sort((a, b) => away(a) - away(b))[0];
    if (key === "ArrowLeft") return nearest(inputs[i]);
    if (key === "ArrowRight") return nearest(made[i]);
    const column = boxes.map((_, j) => j).filter((j) => corners[j].x === corners[i].x);
    return column[column.indexOf(i) + (key === "ArrowUp" ? -1 : 1)];
  }
  const indexOf = (hash) => boxes.findIndex((box) => box.getAttribute("href") === hash);

  // ---------------------------------------------------------------- what is searched for

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    drawing.classList.toggle("searched", words.length > 0);
    const matches = boxes.map((_, i) => {
      const text = texts()[i];
      return words.every((word) => text.includes(word));
    });
    boxes.forEach((box, i) => {
      box.classList.toggle("is-match", words.length > 0 && matches[i]);
      record(i).hidden = !matches[i];
    });
    const n = matches.filter(Boolean).length;
    status.textContent = words.length ? `${n} of ${counted(boxes.length, "box", "boxes")}` : "";
    return matches.flatMap((match, i) => (match ? [i] : []));
  }
  let known;
  const texts = () =>
    (known ??= boxes.map((box, i) => // its own text, and not the names of its neighbours
      [box.getAttribute("aria-label"), ...all("dl", record(i)).map((list) => list.textContent)]
        .join("\n").toLowerCase()));

  // ---------------------------------------------------------------- hands

  const held = new Map(); // fingers and buttons that are down
  let dragged = false;
  drawing.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    if (!held.size) dragged = false;
    held.set(event.pointerId, { x: event.clientX, y: event.clientY, from: [event.clientX, event.clientY] });
  });
  drawing.addEventListener("pointermove", (event) => {
    const finger = held.get(event.pointerId);
    if (!finger) return;
    const [x, y] = finger.from;
    if (!dragged && Math.hypot(event.clientX - x, event.clientY - y) < 5) return;
    if (!dragged) {
      dragged = true;
      drawing.classList.add("held");
      for (const id of held.keys()) drawing.setPointerCapture(id);
    }
    const other = [...held].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const spread = (a) => Math.max(1, Math.hypot(a.x - other.x, a.y - other.y));
      const now = { x: event.clientX, y: event.clientY };
      zoom(spread(now) / spread(finger), (now.x + other.x) / 2, (now.y + other.y) / 2);
    }
    const share = other ? 2 : 1; // the middle of two fingers moves half as far as one of them
    move((event.clientX - finger.x) / share, (event.clientY - finger.y) / share);
    Object.assign(finger, { x: event.clientX, y: event.clientY });
  });
  const release = (event) => {
    held.delete(event.pointerId);
    if (!held.size) drawing.classList.remove("held");
  };
  drawing.addEventListener("pointerup", release);
  drawing.addEventListener("pointercancel", release);
  drawing.addEventListener("pointerleave", (event) => { if (!dragged) release(event); });
  drawing.addEventListener("dragstart", (event) => event.preventDefault());
  drawing.addEventListener("wheel", (event) => {
    const pixels = event.deltaY * (event.deltaMode ? 30 : 1);
    // At the smallest, the page scrolls on.
    if (zoom(Math.exp(-pixels / 400), event.clientX, event.clientY) || event.ctrlKey) {
      event.preventDefault();
    }
  }, { passive: false });
  drawing.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (dragged) { dragged = false; return; }
    const i = boxes.indexOf(event.target.closest(".node"));
    if (i < 0) letGo(); else choose(i);
  });
  drawing.addEventListener("focusin", (event) => {
    const i = boxes.indexOf(event.target.closest(".node"));
    if (i >= 0 && event.target.matches(":focus-visible")) { focusable(i); reveal(i); }
  });
  drawing.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    const here = boxes.indexOf(event.target.closest(".node"));
    if (event.key in steps && here >= 0) boxes[step(here, event.key) ?? here].focus();
    else if (event.key in steps) move(...steps[event.key]);
    else if (event.key === "+" || event.key === "=") zoom(1.25);
    else if (event.key === "-") zoom(0.8);
    else if (event.key === "0") showAll();
    else if (event.key === "Escape") letGo();
    else return;
    event.preventDefault();
  });
  panel.addEventListener("click", (event) => {
    const i = indexOf(event.target.closest("a")?.getAttribute("href"));
    if (i < 0) return;
    event.preventDefault();
    choose(i);
    panel.focus({ preventScroll: true });
  });
  const actions = {
    in: () => zoom(1.25),
    out: () => zoom(0.8),
    all: showAll,
    root: () => { choose(root); centre(...middle(root), Math.max(view.scale, 0.8)); },
  };
  all("[data-do]").forEach((button) => button.addEventListener("click", actions[button.dataset.do]));
  search.addEventListener("input", filter);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      const [first] = filter();
      if (search.value.trim() && first !== undefined) choose(first);
    } else if (event.key === "Escape") {
      search.value = "";
      filter();
    } else return;
    event.preventDefault();
  });

  // ---------------------------------------------------------------- begin

  function arrive() {
    const i = indexOf(window.location.hash);
    if (i < 0) return;
    record(i).open = true;
    choose(i);
  }
  window.addEventListener("hashchange", arrive);
  new ResizeObserver(look).observe(drawing);
  window.addEventListener("beforeprint", () => show(left, top, width, height));
  window.addEventListener("afterprint", look);
  paper.addEventListener("change", look);
  drawing.setAttribute("tabindex", "0");
  letGo();
  focusable(root);
  begin();
  arrive();
})();
