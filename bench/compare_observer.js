// Runs in the page before anything else: when each column of a comparison shows its first token, changes, and shows its
// last one. Times are Unix milliseconds on the clock the provider's log uses too.
(() => {
  const now = () => performance.timeOrigin + performance.now();
  const state = { acted: null, received: 0, expected: null, columns: [] };
  const box = ".st-key-compare_columns";
  window.WebSocket = class extends WebSocket {
    constructor(...options) {
      super(...options);
      this.addEventListener("message", ({ data }) => (state.received += data.byteLength ?? data.size ?? data.length));
    }
  };
  addEventListener("keydown", (event) => event.key === "Enter" && (state.acted = now()), true);

  const afterFrame = (done) =>
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = done;
      channel.port2.postMessage(null);
    });
  const look = (column, text) => {
    const { first, tail, tailFrom } = state.expected;
    if (text === column.text) return;
    column.text = text;
    if (!text.includes(first)) return;
    if (!column.changes.length) afterFrame(() => (column.first = now()));
    if (column.last === null) column.changes.push(now());
    if (column.last === null && text.indexOf(tail, tailFrom) >= 0) column.last = now();
  };
  new MutationObserver(() => {
    if (state.acted === null || state.expected === null) return;
    document.querySelectorAll(`${box} [class*="st-key-column_"]`).forEach((element, place) => {
      if (state.columns[place]) look(state.columns[place], element.textContent);
    });
  }).observe(document, { subtree: true, childList: true, characterData: true });

  window.__compare = {
    expect(expected) {
      const column = () => ({ text: "", first: null, changes: [], last: null });
      Object.assign(state, { acted: null, received: 0, expected });
      state.columns = Array.from({ length: expected.columns }, column);
    },
    done: () => state.columns.length > 0 && state.columns.every(({ first, last }) => first && last),
    seen: () => ({ acted: state.acted, received: state.received, columns: state.columns.map(({ text, ...rest }) => rest) }),
  };
})();
