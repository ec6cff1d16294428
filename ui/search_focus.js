// Puts the cursor into the search box when the page opens, once. For a moment it is put there again: the page may be drawn
// a second time while it opens, with another box.
const SETTLE_MS = 2000;
const done = new WeakSet();

const free = (at) => !at || at === document.body || !at.isConnected;

export default function ({ parentElement }) {
  if (done.has(parentElement)) return;
  done.add(parentElement);
  const until = performance.now() + SETTLE_MS;
  const stopped = new AbortController();
  for (const event of ["pointerdown", "keydown"]) {
    addEventListener(event, () => stopped.abort(), { once: true, capture: true, signal: stopped.signal });
  }
  let focused = false;
  const look = () => {
    if (stopped.signal.aborted || performance.now() > until) return stopped.abort();
    const box = document.querySelector(".st-key-search_query input");
    if (box && (!focused || free(document.activeElement))) {
      box.focus();
      focused = true;
    }
    requestAnimationFrame(look);
  };
  look();
}
