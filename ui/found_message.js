// Brings the message that the search led to into view and marks the words in it. The marks are the browser's own
// highlights over the text, so that nothing in the page changes under Streamlit.
const NAME = "found";
const LOOK_EVERY_MS = 100;
const LOOK_FOR_MS = 15000;
const RESTS = 3;
const shown = new WeakMap();

const fold = (letter) => letter.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

// The text of a message without case and accents, and where each of its characters stands in the page.
function letters(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const places = [];
  let text = "";
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (let at = 0; at < node.data.length; at += 1) {
      const folded = fold(node.data[at]).replace(/\s/g, " ");
      text += folded;
      for (let count = 0; count < folded.length; count += 1) places.push([node, at]);
    }
  }
  return { text, places };
}

export function mark(root, terms) {
  const { text, places } = letters(root);
  const ranges = [];
  for (const term of terms.map(fold).filter(Boolean)) {
    for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + term.length)) {
      const range = new Range();
      range.setStart(...places[at]);
      const [node, end] = places[at + term.length - 1];
      range.setEnd(node, end + 1);
      ranges.push(range);
    }
  }
  if (globalThis.CSS?.highlights && globalThis.Highlight) CSS.highlights.set(NAME, new Highlight(...ranges));
  return ranges.length;
}

const inView = (element) => {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 0 && top < innerHeight && (top >= 0 || bottom >= innerHeight / 2) && inRow(element);
};

// The columns of a comparison are scrolled sideways.
function inRow(element) {
  const own = element.getBoundingClientRect();
  for (let box = element.parentElement; box; box = box.parentElement) {
    if (box.scrollWidth <= box.clientWidth || !/auto|scroll/.test(getComputedStyle(box).overflowX)) continue;
    const { left, right } = box.getBoundingClientRect();
    if (own.left < left - 1 || own.left > right - Math.min(own.width, right - left) / 2) return false;
  }
  return true;
}

function scrollerOf(element) {
  for (let box = element.parentElement; box; box = box.parentElement) {
    if (box.scrollHeight > box.clientHeight && /auto|scroll/.test(getComputedStyle(box).overflowY)) return box;
  }
  return document.scrollingElement;
}

// Streamlit scrolls a chat to its end when it opens and while it grows. It lets go when something else scrolls the page
// while it rests there: so this waits for rest, scrolls, and looks whether the message stays in view.
function bringIntoView(find, block, arrived) {
  const began = Date.now();
  let before = "";
  let rests = 0;
  const look = setInterval(() => {
    const found = find();
    if (Date.now() - began > LOOK_FOR_MS) clearInterval(look);
    if (!found?.textContent) return;
    const box = scrollerOf(found);
    const now = `${box.scrollTop} ${box.scrollHeight}`;
    rests = now === before ? rests + 1 : 0;
    before = now;
    if (rests < RESTS) return;
    arrived(found);
    if (!inView(found)) found.scrollIntoView({ block });
    else if (rests >= 2 * RESTS) clearInterval(look);
  }, LOOK_EVERY_MS);
  return () => clearInterval(look);
}

export default function ({ data, parentElement }) {
  // A run that changes nothing here must not scroll again.
  if (shown.get(parentElement) === data.message) return;
  const stop = bringIntoView(
    () => document.querySelector(`.st-key-${data.at}`),
    data.block,
    (found) => {
      if (shown.get(parentElement) !== data.message) mark(found, data.terms);
      shown.set(parentElement, data.message);
    },
  );
  // Whoever scrolls has seen enough.
  for (const event of ["wheel", "touchstart", "keydown"]) addEventListener(event, stop, { once: true, passive: true });
  return () => {
    stop();
    globalThis.CSS?.highlights?.delete(NAME);
  };
}
