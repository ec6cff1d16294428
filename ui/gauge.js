// The line above the composer (ui/gauge.py): how full the model's window is, and what the message that is being typed
// costs on several models. The history is priced by the server, once; here only the draft is added, on every key press
// and without asking anybody.
// The arithmetic is that of draft_price.js, which stands before it.
const LOOK_EVERY_MS = 400;
const FULL = 0.9;

const composer = () => document.querySelector(".st-key-composer textarea");
const filesInBox = () => document.querySelectorAll('.st-key-composer [data-testid="stChatInputFile"]').length;

function put(element, text, title) {
  if (element.textContent !== text) element.textContent = text;
  if (title !== undefined && element.title !== title) element.title = title;
}

class Strip {
  constructor(root) {
    this.root = root;
    this.part = (name) => root.querySelector(`.${name}`);
    this.stop = new AbortController();
    const { signal } = this.stop;
    document.addEventListener("input", (event) => event.target === composer() && this.look(), { signal });
    this.part("prices").addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) this.send(button.dataset.id);
    }, { signal });
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  take(text) {
    if (text === this.text) return;
    this.text = text;
    this.data = JSON.parse(text);
    this.typed = null;
    const prices = this.part("prices");
    const held = prices.contains(this.root.getRootNode().activeElement);
    prices.replaceChildren(...this.data.models.map((model, place) => this.item(model, place)));
    if (held) prices.querySelector("button")?.focus();
    this.look();
  }

  item(model, place) {
    const item = document.createElement(place ? "button" : "span");
    item.className = place ? "model" : "model own";
    item.dataset.id = model.id;
    const name = document.createElement("span");
    name.className = "name";
    name.textContent = model.label;
    const figure = document.createElement("span");
    figure.className = "figure";
    item.append(name, " ", figure);
    item.title = place ? `${model.about}\nClick to switch to ${model.label}.` : model.about;
    return item;
  }

  look() {
    const text = composer()?.value ?? "";
    const now = Date.now();
    const files = filesInBox();
    const state = `${text.length} ${files} ${this.data.models.map((model) => now < model.until)} ${text.slice(-64)}`;
    if (state === this.typed) return;
    this.typed = state;
    const draft = text ? countTokens(text) + MESSAGE_TOKENS : 0;
    this.draw(draft, files, now);
  }

  draw(draft, files, now) {
    const { models, what } = this.data;
    [...this.part("prices").children].forEach((item, place) => {
      put(item.querySelector(".figure"), price(models[place], draft, now));
    });
    put(this.part("what"), files ? `${what}, files not counted yet` : what);
    put(this.part("left"), this.tooDear(models[0], draft, now) ? this.data.left.words : "");
    this.drawGauge(models[0], draft, now);
  }

  tooDear(own, draft, now) {
    const { left } = this.data;
    return Boolean(left) && !own.word && costRange(own, draft, now)[1] > left.usd;
  }

  drawGauge(own, draft, now) {
    const used = own.used + (draft || own.files ? draft + own.files : 0);
    const share = own.window ? used / own.window : 0;
    const warm = now < own.until;
    const [surely, best] = warm ? own.cached : [0, 0];
    const cached = surely ? `${tokens(surely)} cached` : best ? `up to ${tokens(best)} cached` : "";
    put(this.part("used"), own.window ? `${tokens(used)} of ${tokens(own.window)}` : `${tokens(used)} tokens`);
    put(this.part("cached"), cached);
    put(this.part("gauge"), this.part("gauge").textContent, own.derived);
    const bar = this.part("bar");
    bar.hidden = !own.window;
    bar.style.setProperty("--used", `${Math.min(100, share * 100)}%`);
    bar.style.setProperty("--cached", `${own.window ? Math.min(100, ((surely || best) / own.window) * 100) : 0}%`);
    const state = share > 1 ? "over" : share > FULL ? "full" : "";
    this.root.dataset.state = state;
    put(this.part("over"), share > 1 ? `too long by ${tokens(used - own.window)}` : "");
  }

  dispose() {
    clearInterval(this.timer);
    this.stop.abort();
  }
}

const HUB = Symbol.for("switchboard.gauge");
const strips = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".strip");
  let strip = strips.get(parentElement);
  if (strip?.root !== root) {
    strip?.dispose();
    strip = new Strip(root);
    strips.set(parentElement, strip);
  }
  strip.send = (id) => setTriggerValue("chosen", id);
  globalThis[HUB] = strip;
  // Drawn anew with what it had, it would take back what gauge_news.js has brought since.
  if (data !== strip.given) strip.take(data);
  strip.given = data;
  return () => {
    strip.dispose();
    if (globalThis[HUB] === strip) globalThis[HUB] = null;
    strips.delete(parentElement);
  };
}
