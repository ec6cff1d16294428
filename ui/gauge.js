// The line above the composer (ui/gauge.py): how full the model's window is, and what the message that is being typed
// costs on several models. The history is priced by the server, once; here only the draft is added, on every key press
// and without asking anybody.
//
// The draft's tokens are an approximation of the cl100k vocabulary, within about 15 % for prose and code: its own rule
// cuts text into words, numbers and signs, and a long word is several tokens. What the answer took is counted by the
// provider in the end.
const CUT = /'(?:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+/giu;
const SAMPLE = 20_000;
const LOOK_EVERY_MS = 400;
const MESSAGE_TOKENS = 4;
const DENSE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu;
const FULL = 0.9;

export function countTokens(text) {
  if (!text) return 0;
  const sample = text.slice(0, SAMPLE);
  let tokens = 0;
  for (const [piece] of sample.matchAll(CUT)) tokens += pieceTokens(piece);
  return Math.max(1, Math.round((tokens * text.length) / sample.length));
}

function pieceTokens(piece) {
  const word = piece.trim();
  if (!/\p{L}/u.test(word)) return word ? Math.max(1, Math.ceil(word.length / 3)) : 1;
  const dense = (word.match(DENSE) ?? []).length;
  const letters = word.length - dense;
  const plain = /^[\x21-\x7e]*$/.test(word);
  const long = plain ? (letters <= 9 ? 1 : letters / 5) : letters / 2.6;
  return dense * 1.15 + (letters ? Math.max(1, Math.ceil(long)) : 0);
}

export function money(usd) {
  if (usd <= 0) return "$0";
  if (usd >= 0.01) return `$${usd.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  const places = Math.min(12, 1 - Math.floor(Math.log10(usd)));
  return `$${usd.toFixed(places).replace(/0+$/, "")}`;
}

export function tokens(count) {
  if (count < 10_000) return count.toLocaleString("en-US");
  const [short, unit] = count < 999_950 ? [count / 1000, "k"] : [count / 1e6, "M"];
  return `${short.toFixed(1).replace(/\.0$/, "")}${unit}`;
}

// What a message with a draft of so many tokens costs on a model: words, or a range.
export function price(model, draft, now) {
  if (model.word) return model.word;
  const more = draft + model.files;
  const steps = model.steps.filter(([above]) => above === 0 || model.used + more > above);
  const [, warmLow, warmHigh, coldLow, coldHigh, perToken] = steps.at(-1);
  const warm = now < model.until;
  const added = perToken * more;
  const [least, most] = [(warm ? warmLow : coldLow) + added, (warm ? warmHigh : coldHigh) + added];
  const limit = model.most ?? Infinity;
  const low = money(Math.min(least, limit));
  const high = money(Math.min(most, limit));
  return low === high ? low : `${low}–${high.slice(1)}`;
}

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
    this.drawGauge(models[0], draft, now);
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
  strip.take(data);
  return () => {
    strip.dispose();
    strips.delete(parentElement);
  };
}
