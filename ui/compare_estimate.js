// What the next message of a comparison costs in all columns together (ui/compare_estimate.py), with the draft that is
// being typed. The arithmetic is that of draft_price.js, which stands before it.
const LOOK_EVERY_MS = 400;
const composer = () => document.querySelector(".st-key-composer textarea");

function total(models, draft, now) {
  let [low, high] = [0, 0];
  for (const model of models.filter(({ word }) => !word)) {
    const [least, most] = costRange(model, draft, now);
    low += least;
    high += most;
  }
  return [low, high];
}

function words(models, draft, now) {
  const count = (word) => models.filter((model) => model.word === word).length;
  const [free, unpriced] = [count("free"), count("unpriced")];
  const priced = models.length - free - unpriced;
  const what = models.length === 1 ? "1 answer" : `${models.length} answers`;
  if (!priced) return unpriced ? `${what}, ${unpriced === models.length ? "" : `${unpriced} of them `}unpriced` : `${what}, free`;
  const sum = `about ${rangeWords(total(models, draft, now))} for ${what}`;
  return unpriced ? `${sum}, without ${unpriced} unpriced` : sum;
}

class Estimate {
  constructor(root) {
    this.root = root;
    this.stop = new AbortController();
    const { signal } = this.stop;
    document.addEventListener("input", (event) => event.target === composer() && this.look(), { signal });
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  take(text) {
    if (text === this.text) return;
    this.text = text;
    this.models = JSON.parse(text);
    this.look();
  }

  look() {
    const typed = composer()?.value ?? "";
    const draft = typed ? countTokens(typed) + MESSAGE_TOKENS : 0;
    const now = Date.now();
    const said = this.models.length ? words(this.models, draft, now) : "";
    if (this.root.textContent !== said) this.root.textContent = said;
    const each = this.models.map((model) => `${model.label}: ${price(model, draft, now)}`).join("\n");
    if (this.root.title !== each) this.root.title = each;
  }

  dispose() {
    clearInterval(this.timer);
    this.stop.abort();
  }
}

const estimates = new WeakMap();

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".estimate");
  let estimate = estimates.get(parentElement);
  if (estimate?.root !== root) {
    estimate?.dispose();
    estimate = new Estimate(root);
    estimates.set(parentElement, estimate);
  }
  estimate.take(data);
  return () => {
    estimate.dispose();
    estimates.delete(parentElement);
  };
}
