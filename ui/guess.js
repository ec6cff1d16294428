// Guesses from the draft what a new chat is for, here in the browser (ui/use_case.py): the server hears the name of a
// use case and nothing of the draft. Table and rules are those of core/chat/use_case_guess.py.
const LOOK_EVERY_MS = 500;

const composer = () => document.querySelector(".st-key-composer textarea");

export function guess(text, table) {
  const lookedAt = text.slice(0, table.characters).toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
  const words = new Set(lookedAt.match(/[a-z]+/g) ?? []);
  const points = Object.entries(table.words).map(([name, known]) => {
    const signs = table.signs[name].filter((sign) => lookedAt.includes(sign)).length;
    return [known.filter((word) => words.has(word)).length + table.signPoints * signs, name];
  });
  const [first, second] = points.sort((one, other) => other[0] - one[0]);
  if (!first || first[0] < table.enough) return "";
  return first[0] - (second?.[0] ?? 0) >= table.lead ? first[1] : "";
}

const kept = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const known = kept.get(parentElement) ?? { said: "", text: null };
  kept.set(parentElement, known);
  clearInterval(known.timer);
  const look = () => {
    const text = composer()?.value ?? "";
    // Only what has stood for a moment, so that nothing is asked in the middle of a word; what was sent is no draft.
    if (text && text === known.text) {
      const found = guess(text, data);
      if (found !== known.said) setTriggerValue("guess", (known.said = found));
    }
    known.text = text;
  };
  known.timer = setInterval(look, LOOK_EVERY_MS);
  return () => clearInterval(known.timer);
}
