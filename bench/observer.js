// Runs in the page before anything else. Times are Unix milliseconds on the clock the provider's log uses too.
(() => {
  const config = window.__benchConfig;
  const now = () => performance.timeOrigin + performance.now();
  const bench = (window.__bench = {
    usable: null, // the composer takes text, and what the page was opened for is shown
    acted: null, // the last Enter or click
    first: null, // the answer's first token is in the document
    firstFrame: null, // and the frame that shows it is done
    last: null, // the answer's last token is in the document
    ready: null, // the script run that the last act started is over
    received: 0, // bytes of WebSocket messages
    expected: null,
    expect(expected) {
      Object.assign(bench, { first: null, firstFrame: null, last: null, received: 0, expected });
    },
  });

  // Streamlit's ForwardMsg is a protobuf message; field 6 at its top level says that the script run is over.
  const isScriptFinished = (data) => {
    if (!(data instanceof ArrayBuffer)) return false;
    const bytes = new Uint8Array(data);
    let at = 0;
    const varint = () => {
      let value = 0;
      for (let unit = 1; at < bytes.length; unit *= 128) {
        const byte = bytes[at++];
        value += (byte & 127) * unit;
        if (byte < 128) break;
      }
      return value;
    };
    while (at < bytes.length) {
      const tag = varint();
      if (tag >> 3 === 6) return true;
      const value = varint(); // every field of this message is a number or has a length
      if ((tag & 7) === 2) at += value;
    }
    return false;
  };

  window.WebSocket = class extends WebSocket {
    constructor(...options) {
      super(...options);
      this.addEventListener("message", ({ data }) => {
        bench.received += data.byteLength ?? data.size ?? data.length;
        if (bench.acted !== null && bench.ready === null && isScriptFinished(data)) lookForUnseenRun();
      });
    }
  };

  let ran = false;
  const act = () => {
    bench.acted = now();
    bench.ready = null;
    ran = false;
  };
  addEventListener("keydown", (event) => event.key === "Enter" && act(), true);
  addEventListener("click", act, true);

  const lookForUsable = () => {
    const composer = document.querySelector(config.composer);
    if (!composer || composer.disabled) return;
    if (config.shown && !document.body.textContent.includes(config.shown)) return;
    bench.usable = now();
  };
  const afterFrame = (done) =>
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = done;
      channel.port2.postMessage(null);
    });
  const lookForAnswer = () => {
    const messages = document.querySelectorAll(config.answer);
    const text = messages.length ? messages[messages.length - 1].textContent : "";
    const { first, tail, tailFrom } = bench.expected;
    if (bench.first === null && text.includes(first)) {
      bench.first = now();
      afterFrame(() => (bench.firstFrame = now()));
    }
    if (bench.first !== null && text.indexOf(tail, tailFrom) >= 0) bench.last = now();
  };
  const lookForReady = () => {
    const state = document.querySelector("[data-test-script-state]")?.getAttribute("data-test-script-state");
    if (state !== "notRunning") ran = true;
    else if (ran) bench.ready = now();
  };
  // React may draw the start and the end of a short run at once: then the page never says that it ran.
  const lookForUnseenRun = () => {
    const acted = bench.acted;
    afterFrame(() => {
      const drawn = now();
      afterFrame(() => {
        if (bench.acted === acted && bench.ready === null && !ran) bench.ready = drawn;
      });
    });
  };
  new MutationObserver(() => {
    if (bench.usable === null) lookForUsable();
    if (bench.expected !== null && bench.last === null) lookForAnswer();
    if (bench.acted !== null && bench.ready === null) lookForReady();
  }).observe(document, { subtree: true, childList: true, characterData: true, attributeFilter: ["data-test-script-state", "disabled"] });
})();
