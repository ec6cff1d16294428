// What a draft adds to a price, in the browser: shared by the lines above the composers of the chat (gauge.js) and of
// comparisons (compare_estimate.js), which stand behind it.
//
// The draft's tokens are an approximation of the cl100k vocabulary, within about 15 % for prose and code: its own rule
// cuts text into words, numbers and signs, and a long word is several tokens. What the answer took is counted by the
// provider in the end.
const CUT = /'(?:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+/giu;
const SAMPLE = 20_000;
const MESSAGE_TOKENS = 4;
const DENSE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu;

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

// What a message with a draft of so many tokens costs on a model: the least and the most in dollars.
export function costRange(model, draft, now) {
  const more = draft + model.files;
  const steps = model.steps.filter(([above]) => above === 0 || model.used + more > above);
  const [, warmLow, warmHigh, coldLow, coldHigh, perToken] = steps.at(-1);
  const warm = now < model.until;
  const added = perToken * more;
  const limit = model.most ?? Infinity;
  const [least, most] = [(warm ? warmLow : coldLow) + added, (warm ? warmHigh : coldHigh) + added];
  return [Math.min(least, limit), Math.min(most, limit)];
}

export function rangeWords([lowest, highest]) {
  const [low, high] = [money(lowest), money(highest)];
  return low === high ? low : `${low}–${high.slice(1)}`;
}

// The same in words.
export function price(model, draft, now) {
  return model.word || rangeWords(costRange(model, draft, now));
}
