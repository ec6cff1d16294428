// The list box of the model selector: search, filters, groups and keyboard, all in the browser.
//
// `data` is the list (ui/model_list.py), which hardly ever changes. What changes with every run comes from
// model_facts.js through `hubs`, so that a choice sends some hundred bytes and not the list again.
// A choice goes to the server as the id of a model; the server's answer, in the facts, has the last word.

const hubs = (globalThis[Symbol.for("switchboard.models")] ??= new Map());
const boxes = new WeakMap();

// How long the choice is shown before the server has confirmed it.
const CONFIRM_WITHIN_MS = 8000;
const PAGE = 8;
const WIDTH_PX = 440;
const HEIGHT_PX = 560;
const LEAST_PX = 240;
const MARGIN_PX = 8;

export function normalise(text) {
  return text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
}

// How well a model answers a query: 0 by name, up to 5; -1 not at all. Every word has to be found.
export function rank(model, query) {
  const words = query.split(/\s+/).filter(Boolean);
  if (!words.every((word) => model.text.includes(word))) return -1;
  if (model.name === query || model.key === query) return 0;
  if (model.name.startsWith(query)) return 1;
  if (model.key.startsWith(query)) return 2;
  if (words.every((word) => model.words.includes(` ${word}`))) return 3;
  return words.every((word) => model.name.includes(word)) ? 4 : 5;
}

// The groups to show: [{title, models}], every model that passes the filters exactly once.
export function arrange(list, facts, query, filters) {
  const fast = new Set(facts.fast);
  const passes = (model) =>
    [...filters].every((chip) => model.chips.has(chip) || (chip === list.fast && fast.has(model.place)));
  const found = new Map();
  for (const model of list.models) {
    const score = passes(model) ? rank(model, query) : -1;
    if (score >= 0) found.set(model.place, score);
  }
  const taken = new Set();
  const take = (places) => places.filter((place) => found.has(place) && !taken.has(place) && taken.add(place));
  const groups = [{ title: "Favourites", models: take(facts.favourites) }];
  const useCase = [...filters].map((chip) => list.chips[chip].useCase).find(Boolean) ?? facts.useCase;
  if (useCase) {
    const title = `Recommended for ${useCase} (${facts.judged.includes(useCase) ? "by your team" : "our suggestion"})`;
    groups.push({ title, models: take(facts.recommended[useCase] ?? []) });
  }
  list.providers.forEach((title, provider) => {
    groups.push({ title, models: take(list.byProvider[provider]) });
  });
  if (!query) return groups.filter((group) => group.models.length);
  const all = groups.flatMap((group) => group.models);
  return all.length ? [{ title: "", models: all.sort((a, b) => found.get(a) - found.get(b)) }] : [];
}

export function readList(text) {
  const sent = JSON.parse(text);
  const chips = sent.chips.map(([id, label, group]) => ({ id, label, group, useCase: group === "use case" && label }));
  const models = sent.models.map(([id, label, provider, price, context, capabilities, own, search], place) => ({
    id, label, provider, price, context, capabilities, place,
    chips: new Set(own), text: normalise(search), name: normalise(label), key: normalise(id),
    words: ` ${normalise(search).replace(/[^\p{L}\p{N}]+/gu, " ")}`,
  }));
  const byProvider = sent.providers.map(() => []);
  models.forEach((model) => byProvider[model.provider].push(model.place));
  return { ...sent, chips, models, byProvider, fast: chips.findIndex((chip) => chip.id === "fast") };
}

const NOTHING = { chosen: -1, favourites: [], recommended: {}, judged: [], fast: [], keyless: {}, states: {}, useCase: null };

function make(tag, options = {}, ...children) {
  const { className, ...attributes } = options;
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const icon = (name, title = "") => make("span", { className: "icon", "aria-hidden": "true", title }, name);

class Box {
  constructor(root) {
    this.root = root;
    this.input = root.querySelector("input");
    this.popup = root.querySelector(".popup");
    this.listbox = root.querySelector("[role=listbox]");
    this.chipBar = root.querySelector(".chips");
    this.count = root.querySelector(".count");
    this.dot = root.querySelector(".field .dot");
    Object.assign(this, { list: null, facts: NOTHING, filters: new Set(), query: "", order: [], active: -1 });
    Object.assign(this, { pending: -1, options: [], text: "", allFilters: false });
    this.stop = new AbortController();
    this.listen();
  }

  listen() {
    const on = (target, name, handle) => target.addEventListener(name, handle, { signal: this.stop.signal });
    on(this.input, "input", () => this.search(this.input.value));
    on(this.input, "click", () => this.isOpen || this.open());
    on(this.root.querySelector(".field"), "mousedown", (event) => {
      if (event.target === this.input) return;
      event.preventDefault();
      this.isOpen ? this.close() : this.open();
    });
    on(this.root, "keydown", (event) => this.press(event));
    // Asked a moment later: a filter that is drawn again loses the focus and gets it back.
    on(this.root, "focusout", () => setTimeout(() => {
      if (this.isOpen && !this.root.contains(this.root.getRootNode().activeElement)) this.close();
    }));
    // A click on the list or beside a filter leaves the focus where it is.
    on(this.popup, "mousedown", (event) => event.preventDefault());
    on(this.listbox, "click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.choose(Number(option.dataset.place));
    });
    on(this.chipBar, "click", (event) => {
      const button = event.target.closest("button");
      if (button) this.toggle(button);
    });
    on(window, "resize", () => this.isOpen && this.position());
    this.root.ownerDocument.addEventListener("scroll", () => this.isOpen && this.position(), {
      signal: this.stop.signal, capture: true, passive: true,
    });
    on(document, "keydown", (event) => {
      if (!event.ctrlKey || event.altKey || event.shiftKey || event.metaKey || event.key.toLowerCase() !== "m") return;
      if (!this.root.checkVisibility() || this.root.getBoundingClientRect().right <= 0) return;
      event.preventDefault();
      this.open();
    });
  }

  get isOpen() {
    return this.popup.matches(":popover-open");
  }

  get chosen() {
    return this.pending >= 0 ? this.pending : this.facts.chosen;
  }

  takeList(text) {
    if (text === this.text) return;
    this.text = text;
    this.list = readList(text);
    this.options = [];
    this.filters.clear();
    this.pending = -1;
    this.drawChips();
    this.takeFacts();
  }

  // Facts that speak of another list wait for it.
  takeFacts() {
    const facts = this.list && hubs.get("facts")?.facts;
    this.facts = facts && facts.version === this.list.version ? facts : NOTHING;
    if (this.pending === this.facts.chosen) this.confirm();
    this.options.forEach((option) => option && this.drawState(option));
    this.drawField();
    if (!this.isOpen) return;
    const { scrollTop } = this.listbox;
    this.draw(this.order[this.active]);
    this.listbox.scrollTop = scrollTop;
  }

  confirm() {
    clearTimeout(this.timer);
    this.pending = -1;
  }

  drawField() {
    const model = this.list?.models[this.chosen];
    if (!this.isOpen) this.input.value = model ? model.label : "";
    const [state, reason] = model ? this.state(model) : ["unknown", ""];
    this.dot.className = `dot ${state}`;
    this.dot.title = reason;
    this.input.title = model && !this.isOpen ? `${model.label} (Ctrl+M)` : "";
  }

  state(model) {
    const known = this.facts.states[model.place];
    const keyless = this.facts.keyless[this.list.providers[model.provider]];
    return known ?? (keyless ? ["no_key", keyless] : ["unknown", "not tried lately"]);
  }

  drawChips() {
    const quick = new Set(["price", "use case"]);
    const buttons = this.list.chips.map((chip, place) => {
      const shown = quick.has(chip.group) || this.allFilters || this.filters.has(place);
      const pressed = String(this.filters.has(place));
      const button = make("button", { type: "button", "aria-pressed": pressed, title: chip.group }, chip.label);
      button.dataset.chip = place;
      button.hidden = !shown;
      return button;
    });
    const more = make("button", { type: "button", className: "more", "aria-expanded": String(this.allFilters) });
    more.append(this.allFilters ? "Fewer filters" : "More filters");
    const clear = make("button", { type: "button", className: "clear" }, "Clear");
    clear.hidden = !this.filters.size;
    this.chipBar.replaceChildren(...buttons, more, clear);
    // One stop for Tab; the arrows move between the filters.
    this.chipBar.querySelectorAll("button:not([hidden])").forEach((button, place) => {
      button.tabIndex = place ? -1 : 0;
    });
  }

  toggle(button) {
    const chip = button.dataset.chip;
    if (button.className === "more") this.allFilters = !this.allFilters;
    else if (button.className === "clear") this.filters.clear();
    else if (!this.filters.delete(Number(chip))) this.filters.add(Number(chip));
    const hadFocus = this.root.getRootNode().activeElement === button;
    this.drawChips();
    this.draw();
    if (!hadFocus) return;
    const again = chip ? `[data-chip="${chip}"]` : ".more";
    this.focusChip(this.chipBar.querySelector(again));
  }

  focusChip(button) {
    this.chipBar.querySelectorAll("button").forEach((other) => { other.tabIndex = -1; });
    button.tabIndex = 0;
    button.focus();
  }

  open({ select = true } = {}) {
    this.input.focus();
    if (!this.list || this.isOpen) return;
    this.query = "";
    this.popup.showPopover();
    this.input.setAttribute("aria-expanded", "true");
    // Not what somebody is typing: the next letter would replace it.
    if (select) this.input.select();
    this.position();
    this.draw(this.chosen);
  }

  close() {
    this.popup.hidePopover();
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.query = "";
    this.drawField();
  }

  position() {
    const field = this.root.querySelector(".field").getBoundingClientRect();
    const width = Math.min(Math.max(field.width, WIDTH_PX), window.innerWidth - 2 * MARGIN_PX);
    const left = Math.max(MARGIN_PX, Math.min(field.left, window.innerWidth - width - MARGIN_PX));
    const below = window.innerHeight - field.bottom - 2 * MARGIN_PX;
    const above = field.top - 2 * MARGIN_PX;
    const up = below < LEAST_PX && above > below;
    const gap = MARGIN_PX / 2;
    Object.assign(this.popup.style, {
      left: `${left}px`,
      width: `${width}px`,
      top: up ? "auto" : `${field.bottom + gap}px`,
      bottom: up ? `${window.innerHeight - field.top + gap}px` : "auto",
      maxHeight: `${Math.min(HEIGHT_PX, up ? above : below)}px`,
    });
  }

  search(text) {
    if (!this.isOpen) this.open({ select: false });
    this.query = normalise(text);
    this.draw();
  }

  draw(keep = -1) {
    const groups = arrange(this.list, this.facts, this.query, this.filters);
    this.order = groups.flatMap((group) => group.models);
    this.listbox.replaceChildren(...groups.map((group) => this.group(group)));
    const total = this.list.models.length;
    this.count.textContent = this.order.length
      ? `${this.order.length} of ${total} models`
      : "No model matches. Change the words or clear the filters.";
    this.activate(Math.max(0, this.order.indexOf(keep)));
  }

  group({ title, models }) {
    const options = models.map((place) => this.option(place));
    if (!title) return make("div", { role: "group", "aria-label": "Found" }, ...options);
    const heading = make("div", { className: "heading", "aria-hidden": "true" }, title);
    return make("div", { role: "group", "aria-label": title }, heading, ...options);
  }

  option(place) {
    return (this.options[place] ??= this.makeOption(this.list.models[place]));
  }

  makeOption(model) {
    const option = make("div", { role: "option", id: `model-${model.place}`, "aria-selected": "false" });
    option.dataset.place = model.place;
    const capabilities = model.capabilities.map((name) => icon(...this.list.capabilities[name]));
    const name = make("span", { className: "name", title: model.label }, model.label);
    const price = make("span", { className: "price" }, model.price);
    const known = `${this.list.providers[model.provider]} · ${model.context} `;
    option.append(
      make("span", { className: "dot" }),
      make("div", { className: "line" }, name, make("span", { className: "star" }), price),
      make("div", { className: "line second" },
        make("span", { className: "facts" }, known, ...capabilities), make("span", { className: "measured" })),
    );
    this.drawState(option);
    return option;
  }

  drawState(option) {
    const model = this.list.models[Number(option.dataset.place)];
    const [state, reason, ...measured] = this.state(model);
    const favourite = this.facts.favourites.includes(model.place);
    // Facts come with every run, and hardly ever say anything new about a model.
    const drawn = JSON.stringify([state, reason, measured, favourite]);
    if (option.drawn === drawn) return;
    option.drawn = drawn;
    const dot = option.querySelector(".dot");
    dot.className = `dot ${state}`;
    dot.title = reason;
    option.querySelector(".star").replaceChildren(...(favourite ? [icon("star", "Favourite")] : []));
    const telling = measured.length ? measured : state === "unknown" || state === "healthy" ? [] : [reason];
    option.querySelector(".measured").textContent = telling.join(" · ");
    const capabilities = model.capabilities.map((name) => this.list.capabilities[name][1]);
    const provider = this.list.providers[model.provider];
    const facts = [model.label, provider, reason, model.price, `${model.context} context`, ...capabilities, ...measured];
    option.setAttribute("aria-label", facts.concat(favourite ? ["favourite"] : []).join(", "));
  }

  activate(position) {
    // Also one that is not in the list any more: it may come back with the next letter.
    this.marked?.setAttribute("aria-selected", "false");
    this.active = Math.min(position, this.order.length - 1);
    const option = this.order.length ? this.option(this.order[this.active]) : null;
    this.marked = option;
    if (!option) {
      this.input.removeAttribute("aria-activedescendant");
      return;
    }
    option.setAttribute("aria-selected", "true");
    this.input.setAttribute("aria-activedescendant", option.id);
    if (this.active === 0) this.listbox.scrollTop = 0;
    else option.scrollIntoView({ block: "nearest" });
  }

  choose(place) {
    const changed = place !== this.chosen;
    if (changed) {
      clearTimeout(this.timer);
      this.pending = place;
      this.timer = setTimeout(() => { this.confirm(); this.drawField(); }, CONFIRM_WITHIN_MS);
    }
    this.close();
    if (changed) this.send(this.list.models[place].id);
  }

  press(event) {
    if (event.isComposing) return;
    const inChips = this.chipBar.contains(event.target);
    const handled = inChips ? this.pressInChips(event) : this.pressInInput(event);
    if (handled) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  pressInInput({ key, altKey }) {
    if (!this.isOpen) {
      if (key !== "ArrowDown" && key !== "ArrowUp" && key !== "Enter") return false;
      this.open();
      return true;
    }
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE };
    if (key in steps && !altKey) this.activate(Math.max(0, this.active + steps[key]));
    else if (key === "Enter") this.active >= 0 && this.order.length && this.choose(this.order[this.active]);
    else if (key === "Escape" || (altKey && key === "ArrowUp")) this.close();
    else return false;
    return true;
  }

  pressInChips({ key, target }) {
    const buttons = [...this.chipBar.querySelectorAll("button:not([hidden])")];
    const steps = { ArrowRight: 1, ArrowLeft: -1 };
    if (key === "Escape") {
      this.input.focus();
      this.close();
    } else if (key === "ArrowDown" || key === "ArrowUp") this.input.focus();
    else if (key in steps) this.focusChip(buttons.at((buttons.indexOf(target) + steps[key]) % buttons.length));
    else return false;
    return true;
  }

  dispose() {
    clearTimeout(this.timer);
    this.stop.abort();
    if (hubs.get("facts")?.box === this) hubs.get("facts").box = null;
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".box");
  let box = boxes.get(parentElement);
  if (box?.root !== root) {
    box?.dispose();
    box = new Box(root);
    boxes.set(parentElement, box);
  }
  hubs.set("facts", { ...hubs.get("facts"), box });
  box.send = (id) => setTriggerValue("chosen", id);
  box.takeList(data);
  box.takeFacts();
  return () => {
    box.dispose();
    boxes.delete(parentElement);
  };
}
